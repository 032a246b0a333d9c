namespace Bank;

/// <summary>The demo can't go on; the message is for the user.</summary>
internal sealed class BankException(string message) : Exception(message);
