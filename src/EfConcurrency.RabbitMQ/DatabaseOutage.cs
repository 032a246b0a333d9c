using System.Data.Common;
using System.Net.Sockets;

namespace EfConcurrency.RabbitMQ;

/// <summary>Failures that are not the message's: the database is down, starting, or takes no connections. With a limit of attempts, an outage would make dead letters of everything.</summary>
internal static class DatabaseOutage
{
    /// <summary>https://www.postgresql.org/docs/current/errcodes-appendix.html: class 08 connection exceptions, 53300 too many connections, 57P01 to 57P03 shutdown and start.</summary>
    private static readonly string[] States = ["53300", "57P01", "57P02", "57P03"];

    public static bool IsOne(Exception? failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (e is DbException { SqlState: { } state })
            {
                return state.StartsWith("08", StringComparison.Ordinal) || States.Contains(state);
            }

            if (e is SocketException || e is DbException { IsTransient: true })
            {
                return true;
            }
        }

        return false;
    }
}
