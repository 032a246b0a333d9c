using System.CommandLine;
using EfConcurrency.Tool.Cli;

namespace EfConcurrency.Tool.Doctor;

/// <summary>The limits as options.</summary>
internal sealed class DoctorOptions
{
    private readonly Option<TimeSpan> _idle = DurationOption.Of("--max-idle-in-transaction", "How long a session may be idle in a transaction.", "1m");
    private readonly Option<TimeSpan> _age = DurationOption.Of("--max-transaction-age", "How old a transaction may be.", "15m");
    private readonly Option<TimeSpan> _skew = DurationOption.Of("--max-clock-skew", "How far this machine's clock may be from the database's.", "2s");
    private readonly Option<long> _deadRows = new("--max-dead-rows") { Description = "Dead rows a table of the library may have, where they are more than twice its rows.", DefaultValueFactory = _ => 10_000 };
    private readonly Option<long> _xidAge = new("--max-xid-age") { Description = "How old the oldest transaction id of a database may be.", DefaultValueFactory = _ => 500_000_000 };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_idle, _age, _skew, _deadRows, _xidAge])
        {
            command.Add(option);
        }
    }

    public DoctorLimits Of(ParseResult arguments) => new(
        arguments.GetValue(_idle), arguments.GetValue(_age), arguments.GetValue(_skew), arguments.GetValue(_deadRows), arguments.GetValue(_xidAge));
}
