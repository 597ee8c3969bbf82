using System.ComponentModel;
using System.Diagnostics;
using ImageForge.Contracts;

namespace ImageForge.Imaging.Imports.Streams;

/// <summary>A stream through <c>program -dc</c>. Its complaint and its exit code are ours: what it could not unpack is not taken for the end.</summary>
internal sealed class FilterProgram : ForwardStream
{
    private readonly string _name, _program;
    private readonly Process _process;
    private readonly Task _feeding;
    private readonly Task<string> _errors;

    /// <param name="name">Of the file, for sentences.</param>
    /// <param name="package">Debian package of the program.</param>
    /// <param name="input">Belongs to the stream.</param>
    public FilterProgram(string name, string program, string package, Stream input)
    {
        (_name, _program) = (name, program);
        try
        {
            _process = Process.Start(new ProcessStartInfo(program)
            {
                ArgumentList = { "-d", "-c" },
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (Win32Exception e)
        {
            input.Dispose();
            throw new FailureException("importProgramMissing", Fault.Image, $"{name} is compressed with {program}, which is not installed.", $"Install it: apt-get install {package}.", e);
        }
        _errors = _process.StandardError.ReadToEndAsync();
        _feeding = Task.Factory.StartNew(() => Feed(input), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public override int Read(Span<byte> buffer)
    {
        var read = _process.StandardOutput.BaseStream.Read(buffer);
        if (read > 0 || buffer.IsEmpty)
            return read;
        _process.WaitForExit();
        return _process.ExitCode == 0 ? 0 : throw ImportFailures.Damaged(_name, $"{_program} says \"{_errors.Result.Trim().Split('\n')[^1]}\"");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            if (!_process.HasExited)
                _process.Kill();
            _process.WaitForExit();
            // It ends at the broken pipe at the latest.
            _feeding.Wait();
            _process.Dispose();
        }
        base.Dispose(disposing);
    }

    private void Feed(Stream input)
    {
        try
        {
            using (input)
                input.CopyTo(_process.StandardInput.BaseStream, 256 << 10);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program has ended; it says why.
            try
            {
                _process.StandardInput.Close();
            }
            catch (IOException)
            {
                // Closing flushes once more.
            }
        }
    }
}
