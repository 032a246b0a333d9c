using System.Globalization;
using IdempotencyHost;

// A server that is asked to do operations by key, and is killed meanwhile. The connection string comes through the environment.
var connectionString = Environment.GetEnvironmentVariable("HOST_CONNECTION")!;
switch (args)
{
    case ["prepare"]:
        await OperationDatabase.PrepareAsync(connectionString);
        break;
    case ["serve", var mode]:
        await Client.ServeAsync(connectionString, Enum.Parse<Mode>(mode));
        break;
    case ["storm", var keys, var workers, var withKey]:
        await Client.StormAsync(connectionString, int.Parse(keys, CultureInfo.InvariantCulture), int.Parse(workers, CultureInfo.InvariantCulture), bool.Parse(withKey));
        break;
    default:
        throw new ArgumentException("Verbs: prepare, serve MODE, storm KEYS WORKERS true|false");
}
