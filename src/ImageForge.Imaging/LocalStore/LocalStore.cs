using System.Globalization;
using System.Text.Json;
using ImageForge.Contracts;
using ImageForge.Imaging.Chunks;
using ImageForge.Imaging.Manifests;

namespace ImageForge.Imaging.LocalStore;

/// <summary>Images in a folder, without a server. Reading the catalogue needs no lock: its files appear whole.</summary>
public sealed class LocalStore
{
    private readonly LocalStoreFolder _folder;

    private LocalStore(LocalStoreFolder folder) => _folder = folder;

    public string Root => _folder.Root;

    /// <summary>For the temporary files of whoever holds the writer; the next writer clears it.</summary>
    public string Temporary => _folder.Temporary;

    /// <exception cref="FailureException"><c>storeNotFound</c>.</exception>
    public static LocalStore Open(string path)
    {
        var folder = new LocalStoreFolder(path);
        return folder.Exists ? new LocalStore(folder) : throw new FailureException("storeNotFound", Fault.Disk,
            $"There is no image store in {folder.Root}.", "Name the folder with --store; the first capture or import makes one.");
    }

    /// <summary>Makes the store if there is none. A folder that holds something else is not turned into one.</summary>
    /// <exception cref="FailureException"><c>storeNotEmpty</c>.</exception>
    public static LocalStore OpenOrCreate(string path)
    {
        var folder = new LocalStoreFolder(path);
        // The folders a creation that was cut short leaves behind do not count.
        if (!folder.Exists && Directory.Exists(folder.Root)
            && Directory.EnumerateFileSystemEntries(folder.Root).FirstOrDefault(entry => !IsOurs(Path.GetFileName(entry))) is { } stranger)
            throw new FailureException("storeNotEmpty", Fault.Disk,
                $"{folder.Root} is not an image store and not empty (it holds {Path.GetFileName(stranger)}).", "Name an empty or new folder.");
        folder.Create();
        return new LocalStore(folder);

        static bool IsOurs(string name) => name is "chunks" or "manifests" or "catalogue" or "staging" or "quarantine" or "lost+found";
    }

    /// <summary>Names in order; an image whose versions are all deleted is not there.</summary>
    public IReadOnlyList<string> ImageNames() =>
        [.. Directory.EnumerateDirectories(_folder.Catalogue).Select(path => Path.GetFileName(path)).Where(Contracts.ImageNames.IsValid).Where(name => VersionNumbers(name).Count > 0).Order(StringComparer.Ordinal)];

    /// <summary>Every version of every image, by name, newest first.</summary>
    public IReadOnlyList<LocalImageVersion> AllVersions() => [.. ImageNames().SelectMany(Versions)];

    /// <summary>Newest first; empty if there is no such image.</summary>
    public IReadOnlyList<LocalImageVersion> Versions(string image) =>
        [.. VersionNumbers(image).OrderDescending().Select(number => ReadVersion(image, number))];

    /// <param name="number">Null: the newest.</param>
    /// <exception cref="FailureException"><c>imageNotFound</c>, <c>versionNotFound</c>, <c>catalogueCorrupt</c>.</exception>
    public LocalImageVersion Find(string image, int? number)
    {
        var numbers = Contracts.ImageNames.IsValid(image) ? VersionNumbers(image) : [];
        if (numbers.Count == 0)
            throw new FailureException("imageNotFound", Fault.Image, $"There is no image \"{image}\" in {Root}.",
                ImageNames() is { Count: > 0 } names ? $"It has: {string.Join(", ", names)}." : "It is empty: capture or import an image first.");
        if (number is { } wanted && !numbers.Contains(wanted))
            throw new FailureException("versionNotFound", Fault.Image, $"The image \"{image}\" has no version {wanted.ToString(CultureInfo.InvariantCulture)}.",
                $"It has: {string.Join(", ", numbers.Order())}.");
        return ReadVersion(image, number ?? numbers.Max());
    }

    /// <exception cref="FailureException"><c>manifestMissing</c>, <c>manifestCorrupt</c>, <c>manifestVersion</c>.</exception>
    public ImageDisks ReadImage(LocalImageVersion version)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(_folder.ManifestFile(version.ManifestHash));
        }
        catch (FileNotFoundException e)
        {
            throw new FailureException("manifestMissing", Fault.Image, $"The manifest of {version} is not in the store.", "Use another version, or restore the store from its backup.", e);
        }
        if (ManifestHash.Of(file) != version.ManifestHash)
            throw new FailureException("manifestCorrupt", Fault.Image, $"The manifest of {version} is damaged: it is not the one that was sealed.", "Use another version, or restore the store from its backup.");
        return ImageDisks.TryParse(file, out var image, out var failure) ? image : throw new FailureException(failure);
    }

    /// <summary>For deploys and comparisons: while it is open nothing is removed.</summary>
    public LocalStoreReader OpenReader() => new(_folder);

    /// <summary>For a capture or an import; one at a time.</summary>
    /// <exception cref="FailureException"><c>storeBusy</c>.</exception>
    public LocalStoreWriter OpenWriter(TimeProvider time) => new(this, _folder, time);

    /// <summary>Removes versions and what only they used.</summary>
    /// <param name="number">Null: the image with all its versions.</param>
    public SweepResult Delete(string image, int? number, CancellationToken cancel) => new LocalStoreSweep(this, _folder).Delete(image, number, cancel);

    /// <summary>Reads and hashes every chunk of some versions; a bad one is put aside, so that a later capture that has it puts a good one in its place.</summary>
    public StoreVerification Verify(IReadOnlyList<LocalImageVersion> versions, Action<long, long> progress, CancellationToken cancel) =>
        new LocalStoreCheck(this, _folder).Run(versions, progress, cancel);

    internal List<int> VersionNumbers(string image) => Numbers(image, LocalStoreFolder.VersionSuffix);

    internal int NextNumber(string image) => VersionNumbers(image).Concat(Numbers(image, LocalStoreFolder.DeletedSuffix)).DefaultIfEmpty(0).Max() + 1;

    private List<int> Numbers(string image, string suffix)
    {
        var folder = _folder.ImageFolder(image);
        if (!Directory.Exists(folder))
            return [];
        return [.. from file in Directory.EnumerateFiles(folder)
                   where file.EndsWith(suffix, StringComparison.Ordinal)
                   let text = Path.GetFileName(file)[..^suffix.Length]
                   where int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) && text[0] != '0'
                   select int.Parse(text, CultureInfo.InvariantCulture)];
    }

    private LocalImageVersion ReadVersion(string image, int number)
    {
        try
        {
            var version = JsonSerializer.Deserialize(File.ReadAllBytes(_folder.VersionFile(image, number)), LocalStoreJson.Default.LocalImageVersion);
            // What reaches a path must have one spelling.
            if (version is not null && version.Image == image && version.Number == number && ChunkId.TryParse(version.ManifestHash, out _))
                return version;
        }
        catch (JsonException)
        {
            // Told below.
        }
        throw new FailureException("catalogueCorrupt", Fault.Image, $"The entry of {image}:{number} in the catalogue is damaged ({_folder.VersionFile(image, number)}).",
            "Restore the file from a backup of the store, or remove it and capture the image again.");
    }
}
