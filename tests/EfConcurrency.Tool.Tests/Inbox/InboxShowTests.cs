using EfConcurrency.Tool.Tests.Support;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.Tool.Tests.Inbox;

public sealed class InboxShowTests(ToolDatabase database) : IClassFixture<ToolDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_accepted_a_message_is_shown_by_uuid_and_by_foreign_id()
    {
        var id = Guid.CreateVersion7();
        await using (var db = database.Open())
        {
            Assert.True(await db.Inbox().TrySaveAsync("billing", id, Token));
            Assert.True(await db.Inbox().TrySaveAsync("hooks", "evt_1", Token));
        }

        await using (var db = database.Open())
        {
            Assert.True(await db.Inbox().TrySaveAsync("shipping", id, Token));
        }

        var shown = (await Efc.RunAsync(database.ConnectionString, "inbox", "show", $"{id}", "-o", "json")).Expect(0).Json;
        Assert.True(shown.GetProperty("isInsideWindow").GetBoolean());
        Assert.Equal(["billing", "shipping"], shown.GetProperty("accepted").EnumerateArray().Select(a => a.GetProperty("consumer").GetString()));
        Assert.Contains("accepted by hooks", (await Efc.RunAsync(database.ConnectionString, "inbox", "show", "evt_1")).Expect(0).Output, StringComparison.Ordinal);
        Assert.Contains("has not accepted", (await Efc.RunAsync(database.ConnectionString, "inbox", "show", $"{id}", "--consumer", "mail")).Expect(4).OneError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_from_outside_of_the_window_is_said_to_be_that()
    {
        var old = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddDays(-9));
        Assert.Contains("outside of the window of 7 days", (await Efc.RunAsync(database.ConnectionString, "inbox", "show", $"{old}")).Expect(4).OneError(), StringComparison.Ordinal);
        Assert.Contains("U+0000", (await Efc.RunAsync(database.ConnectionString, "inbox", "show", "x", "--consumer", new string('c', 101))).Expect(2).OneError(), StringComparison.Ordinal);
    }
}
