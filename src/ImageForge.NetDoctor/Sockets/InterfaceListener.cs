using System.ComponentModel;

namespace ImageForge.NetDoctor.Sockets;

/// <summary>A thread that hands every packet of one interface to those who look for something.</summary>
/// <param name="observers">Called on that thread, one packet after the other.</param>
internal sealed class InterfaceListener(PacketSocket socket, string interfaceName, IReadOnlyList<Action<HeardFrame>> observers) : IDisposable
{
    private Thread? _thread;
    private volatile bool _stop;

    /// <summary>Why it ended early; null: it did not.</summary>
    public string? Broken { get; private set; }

    public void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = $"doctor {interfaceName}" };
        _thread.Start();
    }

    private void Run()
    {
        var buffer = new byte[4096];
        try
        {
            while (!_stop)
            {
                if (!socket.TryReceive(buffer, out var frame))
                    continue;
                foreach (var observer in observers)
                    observer(frame);
            }
        }
        catch (Win32Exception e)
        {
            Broken = e.Message;
        }
    }

    /// <summary>After it nobody is called any more.</summary>
    public void Stop()
    {
        _stop = true;
        _thread?.Join();
    }

    public void Dispose()
    {
        Stop();
        socket.Dispose();
    }
}
