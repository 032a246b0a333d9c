using EfConcurrency.Tool.Cli;
using Npgsql;

namespace EfConcurrency.Tool.Database;

/// <summary>Where the database is. The connection string holds a password: it is never printed, not even when it can't be read.</summary>
internal static class ConnectionSettings
{
    private const string Variable = "EFC_CONNECTION";
    private const int ConnectSeconds = 5;
    private const int CommandSeconds = 60;

    /// <exception cref="EfcException">There is none, or it makes no sense.</exception>
    public static NpgsqlConnectionStringBuilder Resolve(string? option)
    {
        var text = option ?? Environment.GetEnvironmentVariable(Variable);
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = text is { Length: > 0 } ? new(text) : FromLibpqVariables();
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The exception's message may quote a part of the string.
            throw new EfcException(ExitCode.Usage, "The connection string can't be read. It should look like Host=…;Database=…;Username=….");
        }

        if (string.IsNullOrEmpty(settings.Host))
        {
            throw new EfcException(ExitCode.Usage, $"Which database? Give --connection, or set {Variable}, or PGHOST, PGDATABASE and PGUSER.");
        }

        settings.ApplicationName = "efc";
        settings.Timeout = settings.Timeout == 0 ? ConnectSeconds : Math.Min(settings.Timeout, ConnectSeconds);
        settings.CommandTimeout = CommandSeconds;
        settings.IncludeErrorDetail = false;
        settings.MaxPoolSize = 4;
        return settings;
    }

    private static NpgsqlConnectionStringBuilder FromLibpqVariables()
    {
        var settings = new NpgsqlConnectionStringBuilder { Host = Environment.GetEnvironmentVariable("PGHOST") };
        if (Environment.GetEnvironmentVariable("PGPORT") is { Length: > 0 } port)
        {
            settings.Port = int.Parse(port, System.Globalization.CultureInfo.InvariantCulture);
        }

        if (Environment.GetEnvironmentVariable("PGDATABASE") is { Length: > 0 } database)
        {
            settings.Database = database;
        }

        // PGUSER, PGPASSWORD, PGPASSFILE and PGSSL… are read by Npgsql itself.
        return settings;
    }
}
