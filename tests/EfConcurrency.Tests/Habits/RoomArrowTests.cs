using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>Lower rooms never know higher ones, and rooms of one level know each other only where it is said here.</summary>
public sealed partial class RoomArrowTests
{
    private static readonly Dictionary<string, (int Level, string[] AlsoKnows)> Rooms = new()
    {
        ["Diagnostics"] = (0, []),
        ["Postgres"] = (0, []),
        ["WriteEnvelope"] = (1, []),
        ["QueryPipeline"] = (1, []),
        ["Migrations"] = (1, []),
        ["Resilience"] = (1, []),
        ["Versioning"] = (2, []),
        ["Fencing"] = (2, []),
        ["AdvisoryLocks"] = (2, []),
        ["RowLocks"] = (2, []),
        ["Leases"] = (3, []),
        ["JobSlots"] = (3, []),
        ["Idempotency"] = (3, []),
        ["Outbox"] = (3, ["Inbox"]),
        ["Inbox"] = (3, []),
        ["Infrastructure"] = (4, []),
    };

    [Fact]
    public void Every_file_stands_in_a_known_room()
        => Assert.DoesNotContain(Repository.Sources("src/EfConcurrency").Select(f => f.Path), path => Repository.RoomOf(path) is not { } room || !Rooms.ContainsKey(room));

    [Fact]
    public void Rooms_only_use_the_rooms_below_them()
        => Assert.Empty(Repository.Sources("src/EfConcurrency").SelectMany(f => Violations(Repository.RoomOf(f.Path)!, f.Text).Select(v => $"{f.Path}: {v}")));

    [Fact]
    public void A_type_lives_in_the_namespace_of_its_room_and_extensions_where_they_are_found()
        => Assert.Empty(
            from file in Repository.Sources("src/EfConcurrency")
            let declared = NamespaceLine().Match(file.Text).Groups[1].Value
            where declared != $"EfConcurrency.{Repository.RoomOf(file.Path)}"
                && !(file.Path.EndsWith("Extensions.cs", StringComparison.Ordinal) && declared is "Microsoft.EntityFrameworkCore" or "Polly")
            select $"{file.Path} is in namespace {declared}");

    [Fact]
    public void An_arrow_upwards_or_sideways_is_found()
    {
        Assert.Single(Violations("Postgres", "using EfConcurrency.Versioning;"));
        Assert.Single(Violations("Resilience", "var x = EfConcurrency.WriteEnvelope.Thing;"));
        Assert.Empty(Violations("Versioning", "using EfConcurrency.Resilience;\nusing EfConcurrency.Versioning;"));
        Assert.Empty(Violations("Outbox", "using EfConcurrency.Inbox;"));
    }

    private static IEnumerable<string> Violations(string room, string text)
        => from use in Use().Matches(text).Select(m => m.Groups[1].Value).Distinct()
           where use != room && Rooms.ContainsKey(use) && Rooms[use].Level >= Rooms[room].Level && !Rooms[room].AlsoKnows.Contains(use)
           select $"room {room} (level {Rooms[room].Level}) uses room {use} (level {Rooms[use].Level})";

    [GeneratedRegex(@"\bEfConcurrency\.([A-Z]\w+)")]
    private static partial Regex Use();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
