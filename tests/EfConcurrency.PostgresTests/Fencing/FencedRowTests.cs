using EfConcurrency.Fencing;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.PostgresTests.Fencing;

/// <summary>With a token from elsewhere, and no lease table in the model, the row alone decides.</summary>
public sealed class FencedRowTests(PlantDatabase plant) : IClassFixture<PlantDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("update")]
    [InlineData("delete")]
    [InlineData("stub")]
    [InlineData("owned")]
    [InlineData("owned collection")]
    public async Task The_row_alone_refuses_a_lower_token_and_accepts_an_equal_or_higher_one(string write)
    {
        var rows = await RowsDatabase.CreateAsync(plant);
        var id = await rows.AddAsync(token: 10);

        var rejected = await Assert.ThrowsAsync<FencingTokenRejectedException>(() => rows.WriteAsync(id, 9, write));
        Assert.Equal((9L, 10L, "Plan"), (rejected.Token, rejected.CurrentToken, rejected.EntityType));
        Assert.Equal(10L, await rows.TokenAsync(id));

        await rows.WriteAsync(id, 10, "owned");
        await rows.WriteAsync(id, 12, "owned");
        Assert.Equal(12L, await rows.TokenAsync(id));
        await rows.WriteAsync(id, 12, write);
        Assert.Equal(write == "delete" ? null : 12L, await rows.TokenAsync(id));
    }

    /// <summary>A stub that already shows our token must write it all the same: the row may still carry an older one.</summary>
    [Fact]
    public async Task A_stub_with_the_same_token_writes_it()
    {
        var rows = await RowsDatabase.CreateAsync(plant);
        var id = await rows.AddAsync(token: 3);
        await using var db = rows.Open();
        using var scope = db.UseFencingToken(PlantContext.Resource, 5);
        var stub = new Plan { Id = id, FencingToken = 5 };
        db.Attach(stub);
        stub.Total = 1;
        await db.SaveChangesAsync(Token);

        Assert.Equal(5L, await rows.TokenAsync(id));
    }
}
