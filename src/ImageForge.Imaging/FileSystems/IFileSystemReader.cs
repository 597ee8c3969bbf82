namespace ImageForge.Imaging.FileSystems;

/// <summary>Knows one family of file systems. A new one is a class of its own and a line in <see cref="VolumeProbe"/>.</summary>
internal interface IFileSystemReader
{
    /// <summary>For sentences, as people say it: "NTFS".</summary>
    string Name { get; }

    /// <summary>Cheap and sure enough: whether this family's mark is on the volume.</summary>
    bool IsPresent(VolumeReader volume);

    /// <summary>Reads the used-block map. Only called where <see cref="IsPresent"/>.</summary>
    /// <exception cref="DamagedVolumeException">The volume contradicts itself.</exception>
    VolumeContent Read(VolumeReader volume);
}
