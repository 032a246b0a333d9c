using System.Globalization;
using OutboxHost;

// Processes that tests pause and kill. The connection string comes through the environment.
var connectionString = Environment.GetEnvironmentVariable("HOST_CONNECTION")!;
switch (args)
{
    case ["prepare"]:
        await StormDatabase.PrepareAsync(connectionString);
        break;
    case ["write", var writers, var transactions]:
        await Writers.RunAsync(connectionString, int.Parse(writers, CultureInfo.InvariantCulture), int.Parse(transactions, CultureInfo.InvariantCulture));
        break;
    case ["write-late"]:
        await Writers.WriteLateAsync(connectionString);
        break;
    case ["dispatch", var name, var way]:
        await Dispatcher.RunAsync(connectionString, name, Enum.Parse<Way>(way));
        break;
    default:
        throw new ArgumentException("Verbs: prepare, write WRITERS TRANSACTIONS, write-late, dispatch NAME WAY");
}
