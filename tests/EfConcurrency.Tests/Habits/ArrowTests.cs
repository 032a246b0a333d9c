using System.Text.RegularExpressions;

namespace EfConcurrency.Tests.Habits;

/// <summary>Lower rooms never know higher ones; rooms of one level know each other only where <see cref="Rooms"/> says so.</summary>
public sealed partial class ArrowTests
{
    [Fact]
    public void Every_source_file_stands_in_a_known_room()
        => Habit.Holds("A file of src/EfConcurrency stands in one of the rooms of Rooms.cs.", SourceTree.CSharp("src/EfConcurrency").SelectMany(f => Homeless(f.Path)));

    [Fact]
    public void No_room_names_a_room_it_may_not_know()
        => Habit.Holds("The text of a room names only the rooms it may use.", SourceTree.CSharp("src/EfConcurrency").SelectMany(Named));

    [Fact]
    public void No_room_uses_a_type_of_a_room_it_may_not_know()
    {
        var roomOf = RoomsOfTypes();
        Habit.Holds(
            "The compiled code of a room uses only the types of rooms it may use.",
            from user in Habit.Library.GetTypes().Where(roomOf.ContainsKey)
            from used in TypeUse.Of(user).Where(roomOf.ContainsKey)
            where !Rooms.MayUse(roomOf[user], roomOf[used])
            select $"{roomOf[user]}/{Outermost(user).Name}: {Rooms.Describe(roomOf[user])} uses {used.Name} of {Rooms.Describe(roomOf[used])}");
    }

    [Theory]
    [InlineData("src/EfConcurrency/Sagas/Saga.cs")]
    [InlineData("src/EfConcurrency/Helper.cs")]
    public void A_file_outside_of_the_rooms_is_found(string path) => Assert.Single(Homeless(path));

    [Theory]
    [InlineData("Postgres", "using EfConcurrency.Versioning;", 1)]
    [InlineData("Postgres", "using EfConcurrency.Diagnostics;", 1)]
    [InlineData("WriteEnvelope", "using Save = EfConcurrency.Resilience.Save;", 1)]
    [InlineData("Resilience", "var x = $\"{EfConcurrency.Outbox.Thing.Name}\";", 1)]
    [InlineData("Inbox", "using EfConcurrency.Outbox;", 1)]
    [InlineData("Versioning", "using static EfConcurrency.Infrastructure.Names;", 1)]
    [InlineData("Outbox", "using EfConcurrency.Inbox;", 0)]
    [InlineData("Versioning", "using EfConcurrency.Resilience;\nusing EfConcurrency.Postgres;", 0)]
    [InlineData("Postgres", "// EfConcurrency.Versioning builds on this\nthrow new(\"EfConcurrency.Versioning\");", 0)]
    public void An_arrow_upwards_or_sideways_is_found_in_text(string room, string text, int violations)
        => Assert.Equal(violations, Named(new($"src/EfConcurrency/{room}/X.cs", text)).Count());

    [Fact]
    public void A_use_is_found_in_compiled_code()
    {
        var used = TypeUse.Of(typeof(Planted)).ToList();
        Assert.Contains(typeof(Literal), used);
        Assert.Contains(typeof(SourceFile), used);
        Assert.Contains(typeof(Rooms), used);
    }

    private static IEnumerable<string> Homeless(string path)
        => new SourceFile(path, "").Room is { } room && Rooms.IsKnown(room) ? [] : [$"{path}: no such room"];

    private static IEnumerable<string> Named(SourceFile file)
        => from room in Mention().Matches(CSharpText.Of(file.Text).Code).Select(m => m.Groups[1].Value).Distinct()
           where file.Room is not null && Rooms.IsKnown(file.Room) && Rooms.IsKnown(room) && !Rooms.MayUse(file.Room, room)
           select $"{file.Path}: {Rooms.Describe(file.Room!)} names {Rooms.Describe(room)}";

    /// <summary>By namespace; extension classes live in foreign namespaces and are found by the file of their name.</summary>
    private static Dictionary<Type, string> RoomsOfTypes()
    {
        var files = SourceTree.CSharp("src/EfConcurrency").ToLookup(f => Path.GetFileNameWithoutExtension(f.Name), f => f.Room);
        var rooms = new Dictionary<Type, string>();
        foreach (var type in Habit.Library.GetTypes())
        {
            var room = type.Namespace?.Split('.') is ["EfConcurrency", var name, ..] ? name : files[Outermost(type).Name].FirstOrDefault();
            if (room is not null && Rooms.IsKnown(room))
            {
                rooms.Add(type, room);
            }
        }

        return rooms;
    }

    private static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    [GeneratedRegex(@"\bEfConcurrency\s*\.\s*([A-Z]\w*)")]
    private static partial Regex Mention();

    private sealed class Planted
    {
        public static List<Literal[]> Signature() => [];

        public static object? Body(object x) => Rooms.IsKnown("x") ? x as SourceFile : null;
    }
}
