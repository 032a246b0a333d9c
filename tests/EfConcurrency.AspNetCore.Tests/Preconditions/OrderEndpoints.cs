using EfConcurrency.AspNetCore.Preconditions;
using EfConcurrency.AspNetCore.Tests.Support;
using EfConcurrency.Versioning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AspNetCore.Tests.Preconditions;

public sealed record OrderInput(string Name);

/// <summary>An application's endpoints, as its author would write them.</summary>
internal static class OrderEndpoints
{
    public static void Map(WebApplication app)
    {
        var orders = app.MapGroup("/orders").WithETag();
        orders.MapGet("{id:int}", async (int id, OrderContext db) => await db.Orders.FindAsync(id) is { } order ? Results.Ok(order) : Results.NotFound());
        orders.MapPut("{id:int}", UpdateAsync).RequireIfMatch();
        orders.MapPatch("{id:int}", PatchAsync).RequireIfMatch();
        orders.MapPost("{id:int}/optional", UpdateAsync);
        orders.MapPut("{id:int}/upsert", UpsertAsync).RequireIfMatch(allowCreate: true);
        orders.MapPut("{id:int}/blind", CreateBlindlyAsync).RequireIfMatch(allowCreate: true);
        orders.MapPut("{id:int}/stub", UpdateUnreadAsync).RequireIfMatch();
        orders.MapPut("{id:int}/forgetful", (int id, IfMatch ifMatch) => TypedResults.NoContent()).RequireIfMatch();
        orders.MapGet("", (OrderContext db) => db.Orders.AsNoTracking().ToListAsync());
    }

    private static async Task<IResult> UpdateAsync(int id, OrderInput input, IfMatch ifMatch, OrderContext db, CancellationToken cancellationToken)
    {
        if (await db.Orders.FindAsync([id], cancellationToken) is not { } order)
        {
            return TypedResults.NotFound();
        }

        db.Expect(order, ifMatch);
        order.Name = input.Name;
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(order);
    }

    private static async Task<IResult> PatchAsync(int id, OrderInput input, IfMatch ifMatch, OrderContext db, HttpContext http)
    {
        var result = await db.Orders.ExecuteUpdateIfMatchAsync(id, ifMatch, s => s.SetProperty(o => o.Name, input.Name), http.RequestAborted);
        return result.Outcome == ConditionalUpdateOutcome.NotFound ? TypedResults.NotFound() : TypedResults.NoContent();
    }

    private static async Task<IResult> UpsertAsync(int id, OrderInput input, IfMatch ifMatch, IfNoneMatch ifNoneMatch, OrderContext db)
    {
        var order = await db.Orders.FindAsync(id);
        db.ExpectNone(order, ifNoneMatch);
        if (order is null)
        {
            order = new() { Id = id };
            db.Add(order);
        }
        else
        {
            db.Expect(order, ifMatch);
        }

        order.Name = input.Name;
        await db.SaveChangesAsync();
        return TypedResults.Ok(order);
    }

    /// <summary>As if the other client had created it between our look and our insert.</summary>
    private static async Task<IResult> CreateBlindlyAsync(int id, OrderInput input, IfNoneMatch ifNoneMatch, OrderContext db)
    {
        db.ExpectNone(existing: null, ifNoneMatch);
        var order = new Order { Id = id, Name = input.Name };
        db.Add(order);
        await db.SaveChangesAsync();
        return TypedResults.Created($"/orders/{id}", order);
    }

    private static async Task<IResult> UpdateUnreadAsync(int id, OrderInput input, IfMatch ifMatch, OrderContext db)
    {
        var order = new Order { Id = id };
        db.Attach(order);
        db.Expect(order, ifMatch);
        order.Name = input.Name;
        await db.SaveChangesAsync();
        return TypedResults.Ok(order);
    }
}
