namespace ImageForge.Server.Configuration;

/// <summary>The server cannot start; the message is one sentence that names the cure and is all that people see.</summary>
internal sealed class StartUpException(string sentence, Exception? inner = null) : Exception(sentence, inner);
