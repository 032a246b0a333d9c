using System.Text.RegularExpressions;
using EfConcurrency.Fencing;
using EfConcurrency.Tool.Database;
using EfConcurrency.WriteEnvelope;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Tool.Doctor.Checks;

/// <summary>The library's functions against the text from which migrations make them.</summary>
internal sealed partial class FunctionsCheck() : DoctorCheck("functions")
{
    private const string Migrate = "Add a migration with the application's version of EfConcurrency and apply it.";

    private sealed record Function(string Name, string Body, bool CanExecute);

    public override async Task<IEnumerable<Finding>> RunAsync(Patient patient, CancellationToken cancellationToken)
    {
        var schema = patient.Database.Schema;
        var actual = (await patient.RowsAsync(DoctorSql.Functions, r => new Function(r.GetString(0), Folded(r.GetString(1)), r.GetBoolean(2)), cancellationToken, schema)).ToLookup(f => f.Name);
        return Find();

        IEnumerable<Finding> Find()
        {
            // Only a room whose rows ride in saves asks for it.
            var isWanted = patient.Tables.Has(LibraryTables.Outbox) || patient.Tables.Has(LibraryTables.IdempotencyKey);
            if (isWanted && !actual.Contains(WriteEnvelopeSql.GuardFunction))
            {
                yield return Warning(
                    $"Function {schema}.{WriteEnvelopeSql.GuardFunction} is missing: saves with messages or keys are correct, and take a round trip more.",
                    "Add a migration, or call db.Database.EnsureGuardFunctionAsync() once as the schema's owner.");
            }

            foreach (var expected in Expected(patient))
            {
                foreach (var function in actual[expected.Name])
                {
                    if (function.Body != expected.Body)
                    {
                        yield return Warning($"Function {schema}.{function.Name} is not that of this version of the library.", Migrate);
                    }

                    if (!function.CanExecute && function.Name == WriteEnvelopeSql.GuardFunction)
                    {
                        yield return Info($"This role may not execute {schema}.{function.Name}. The application's role has to.", $"grant execute on all functions in schema {schema} to the application's role");
                    }
                }
            }
        }
    }

    private static IEnumerable<(string Name, string Body)> Expected(Patient patient)
    {
        var sql = patient.Database.Context.GetService<ISqlGenerationHelper>();
        var schema = sql.DelimitIdentifier(patient.Database.Schema);
        var lease = sql.DelimitIdentifier(LibraryTables.Lease, patient.Database.Schema);
        return from text in (string[])[WriteEnvelopeSql.CreateGuardFunction(schema), FencingSql.CreateFunctions(schema, lease), FencingSql.CreateRejectFunction(schema)]
               from match in Created().Matches(text)
               select (match.Groups[1].Value, Folded(match.Groups[2].Value));
    }

    /// <summary>White space may differ by the system a migration was written on.</summary>
    private static string Folded(string body) => string.Join(' ', body.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex(@"create or replace function \S+?\.(\w+)\(.*?\$efc\$(.*?)\$efc\$", RegexOptions.Singleline)]
    private static partial Regex Created();
}
