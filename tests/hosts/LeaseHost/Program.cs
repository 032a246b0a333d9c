using LeaseHost;

// Processes that tests pause, cut off and kill. The connection string comes through the environment.
var connectionString = Environment.GetEnvironmentVariable("HOST_CONNECTION")!;
switch (args)
{
    case ["prepare"]:
        await StormDatabase.PrepareAsync(connectionString);
        break;
    case ["contend", var number]:
        await new Contender(connectionString, number).RunAsync();
        break;
    case ["lead", var name, .. var behavior]:
        await Leader.RunAsync(connectionString, name, behavior is ["stubborn"]);
        break;
    default:
        throw new ArgumentException("Verbs: prepare, contend NUMBER, lead NAME [stubborn]");
}
