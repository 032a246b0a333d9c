using System.CommandLine;
using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Audit;

/// <summary>Needs no database: who runs it may not be who owns the schema.</summary>
internal sealed class AuditDdlVerb : Verb
{
    private readonly Option<string> _role = new("--role") { Description = "The operators' role.", DefaultValueFactory = _ => "efc_operator" };

    public AuditDdlVerb()
        : base("ddl", "Prints what an owner of the schema runs once: the audit table, and the grants of an operators' role. It may be run again.")
        => Add(_role);

    protected override Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var ddl = AuditSql.Ddl(session.Schema, session.Arguments.GetValue(_role)!);
        session.Screen.Show(new { ddl }, () => session.Screen.WriteText(ddl));
        return Task.FromResult(ExitCode.Ok);
    }
}
