namespace ImageForge.Lab.Machines;

/// <summary>What a person at the serial line of the installed lab Linux does.</summary>
public static class InstalledSystem
{
    /// <summary>Logs in and switches the machine off properly, so that its file systems are clean.</summary>
    public static async Task ShutDownInstalledSystemAsync(this VirtualMachine machine)
    {
        await machine.Console.WaitForAsync("lab-source login:", TimeSpan.FromSeconds(60));
        await machine.TypeAsync("root\r");
        await machine.Console.WaitForAsync("# ", TimeSpan.FromSeconds(60));
        await machine.TypeAsync("poweroff\r");
        await machine.WaitForEndAsync(TimeSpan.FromSeconds(60));
    }
}
