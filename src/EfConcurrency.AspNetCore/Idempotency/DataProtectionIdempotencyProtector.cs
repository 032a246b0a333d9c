using System.Security.Cryptography;
using EfConcurrency.Idempotency;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace EfConcurrency.AspNetCore.Idempotency;

/// <summary>
/// ASP.NET Core's Data Protection: it rotates its keys by itself and writes beside the text which one it took. Scope and key are a purpose, so a
/// body moved to another key does not open.
/// </summary>
internal sealed class DataProtectionIdempotencyProtector(IDataProtectionProvider provider) : IIdempotencyProtector
{
    private const string Purpose = "EfConcurrency.Idempotency.v1";

    public string ProtectionKeyId => "data-protection";

    /// <exception cref="InvalidOperationException">Data Protection is not registered.</exception>
    public static IIdempotencyProtector Create(IServiceProvider services)
        => new DataProtectionIdempotencyProtector(services.GetService<IDataProtectionProvider>()
            ?? throw new InvalidOperationException("UseDataProtection() needs Data Protection. Call services.AddDataProtection(), and keep its keys where all servers find them."));

    public byte[] Protect(ReadOnlySpan<byte> body, ReadOnlySpan<byte> associatedData) => Of(associatedData).Protect(body.ToArray());

    public byte[] Unprotect(ReadOnlySpan<byte> protectedBody, ReadOnlySpan<byte> associatedData, string protectionKeyId)
        => Of(associatedData).Unprotect(protectedBody.ToArray());

    private IDataProtector Of(ReadOnlySpan<byte> associatedData) => provider.CreateProtector(Purpose, Convert.ToHexStringLower(SHA256.HashData(associatedData)));
}
