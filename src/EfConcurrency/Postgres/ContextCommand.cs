using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Postgres;

/// <summary>Commands of ours outside of EF's batch. They bypass EF's logging and interceptors, which belong to the user's own SQL.</summary>
internal static class ContextCommand
{
    /// <summary>A command on the context's connection, in its transaction if there is one. The connection must be open.</summary>
    /// <param name="context">The context.</param>
    /// <param name="sql">SQL with <c>{0}</c>, <c>{1}</c> … for the parameters.</param>
    /// <param name="parameters">The parameters in order.</param>
    public static DbCommand Create(DbContext context, string sql, IReadOnlyList<SqlParameterValue> parameters)
    {
        var command = Create(context.Database.GetDbConnection(), sql, parameters);
        command.Transaction = context.Database.CurrentTransaction?.GetDbTransaction();
        command.CommandTimeout = context.Database.GetCommandTimeout() ?? command.CommandTimeout;
        return command;
    }

    /// <summary>A command on a connection of its own.</summary>
    public static DbCommand Create(DbConnection connection, string sql, IReadOnlyList<SqlParameterValue> parameters)
    {
        var command = connection.CreateCommand();
        var names = new object[parameters.Count];
        for (var i = 0; i < parameters.Count; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"efc{i}");
            names[i] = "@" + name;
            command.Parameters.Add(parameters[i].Mapping.CreateParameter(command, name, parameters[i].Value));
        }

        command.CommandText = string.Format(CultureInfo.InvariantCulture, sql, names);
        return command;
    }
}
