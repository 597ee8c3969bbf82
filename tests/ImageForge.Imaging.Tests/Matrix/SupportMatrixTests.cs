using ImageForge.Imaging.Tests.FileSystems;
using ImageForge.Imaging.Tests.Layouts;

namespace ImageForge.Imaging.Tests.Matrix;

/// <summary>
/// Layout × file system: real file systems with real files are captured and deployed onto a disk full of 0xFF. Every used byte and
/// table sector is compared, the file system's own checker runs, and every file is read back. README.md shows the result.
/// </summary>
public sealed class SupportMatrixTests(MatrixVolumes volumes) : IClassFixture<MatrixVolumes>
{
    [Theory]
    [InlineData(MatrixLayouts.Gpt)]
    [InlineData(MatrixLayouts.Primary)]
    [InlineData(MatrixLayouts.Logical)]
    [InlineData(MatrixLayouts.None)]
    [InlineData(MatrixLayouts.Large)]
    public async Task Every_file_system_comes_back_whole_on(string layout)
    {
        var judged = new List<MatrixRow>();
        foreach (var (disk, rows) in volumes.Lay(layout))
        {
            using var source = disk;
            var (restored, manifest) = await RoundTrip.RunAsync(disk);
            using var target = restored;
            var partitions = target.Layout().Partitions.OrderBy(p => p.Offset).ToList();
            Assert.Equal(rows.Count, partitions.Count);
            for (var i = 0; i < rows.Count; i++)
            {
                var header = manifest.Volumes[i].Header;
                Assert.True(header.FileSystem == rows[i].Kind, $"{rows[i]} was taken for {header.FileSystem}: {header.Note}");
                var used = manifest.Volumes[i].UsedBytes;
                Assert.True(rows[i].Taken == "every block" ? used == header.Partition.Length : used < header.Partition.Length * 9 / 10, $"{rows[i]}: {used} bytes of {header.Partition.Length} used");
                Judge(rows[i], target.CopyOut(partitions[i]), disk.SectorSize);
                judged.Add(rows[i]);
            }
        }
        Assert.Equal(SupportTable.RowsOf(layout), judged);
    }

    [Fact]
    public void The_readme_shows_what_is_tested() => SupportTable.CheckReadme();

    private void Judge(MatrixRow row, string volume, int sectorSize)
    {
        try
        {
            Shell.Run(row.Judge[0], [.. row.Judge.Skip(1), volume]);
            if (row.Judge[0] == "swaplabel")
                Assert.Equal(Shell.Run("swaplabel", volumes.Of(row, sectorSize).Image), Shell.Run("swaplabel", volume));
            if (!row.HasFiles)
                return;
            var expected = volumes.Files(row, sectorSize);
            Assert.True(expected.Count > 5, $"{row}: only {expected.Count} files to compare");
            Assert.Equal(expected, volumes.Of(row, sectorSize).HashFiles(volume));
        }
        finally
        {
            File.Delete(volume);
        }
    }
}
