using System.Net.Security;
var h = new SocketsHttpHandler();
h.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (s, c, ch, e) => { Console.WriteLine(c!.Subject); return c.Subject.Length > 0; } };
using var c = new HttpClient(h);
Console.WriteLine(await c.GetStringAsync(new Uri(args[0])));
Console.WriteLine(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData([1, 2])));
return 0;
