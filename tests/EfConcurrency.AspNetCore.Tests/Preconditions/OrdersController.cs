using EfConcurrency.AspNetCore.Preconditions;
using EfConcurrency.AspNetCore.Tests.Support;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace EfConcurrency.AspNetCore.Tests.Preconditions;

public sealed record OrderView(string Name, long Revision);

[ApiController]
[Route("orders")]
public sealed class OrdersController(OrderContext db) : ControllerBase
{
    [HttpGet("{id:int}")]
    [ETag]
    public async Task<ActionResult<Order>> GetAsync(int id) => await db.Orders.FindAsync(id) is { } order ? order : NotFound();

    [HttpGet("{id:int}/view")]
    [ETag(Property = nameof(OrderView.Revision))]
    public async Task<OrderView> ViewAsync(int id) => await db.Orders.Where(o => o.Id == id).Select(o => new OrderView(o.Name, o.Version)).SingleAsync();

    [HttpPut("{id:int}")]
    [ETag]
    [RequireIfMatch]
    public async Task<ActionResult<Order>> PutAsync(int id, OrderInput input, IfMatch ifMatch, CancellationToken cancellationToken)
    {
        if (await db.Orders.FindAsync([id], cancellationToken) is not { } order)
        {
            return NotFound();
        }

        db.Expect(order, ifMatch);
        order.Name = input.Name;
        await db.SaveChangesAsync(cancellationToken);
        return order;
    }

    [HttpPut("{id:int}/upsert")]
    [ETag]
    [RequireIfMatch(AllowCreate = true)]
    public async Task<Order> UpsertAsync(int id, OrderInput input, IfMatch ifMatch, IfNoneMatch ifNoneMatch)
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
        return order;
    }

    [HttpPut("{id:int}/forgetful")]
    [RequireIfMatch]
    public IActionResult Forget() => NoContent();
}
