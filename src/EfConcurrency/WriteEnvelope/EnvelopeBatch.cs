#pragma warning disable EF1001 // See EnvelopeBatchFactory.
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Update.Internal;

namespace EfConcurrency.WriteEnvelope;

/// <summary>
/// EF's batch with our statements at both ends. The guards stand in the first batch of a save and the messages in the last, so
/// that all of it is one list to the server.
/// </summary>
internal sealed class EnvelopeBatch(ModificationCommandBatchFactoryDependencies dependencies, int maxBatchSize, EnvelopeSave save, string guardSchema)
    : NpgsqlModificationCommandBatch(dependencies, maxBatchSize + save.StatementCount)
{
    private bool _everyCommandIsJudged = save.IsServerJudged;

    /// <summary>
    /// One batch is one implicit transaction to PostgreSQL. It may do without BEGIN only when the server refuses the whole list
    /// itself: a row count that the client looks at afterwards is a verdict on something already committed.
    /// </summary>
    public override bool RequiresTransaction => !_everyCommandIsJudged && !IsOneCommandBehindLocks && base.RequiresTransaction;

    /// <summary>A lock leaves nothing behind that a verdict of the client would have to undo.</summary>
    private bool IsOneCommandBehindLocks
        => save.LockCount > 0 && ModificationCommands.Count == save.LockCount + 1 && ModificationCommands[^1].StoreStoredProcedure is null;

    public override bool TryAddCommand(IReadOnlyModificationCommand modificationCommand)
    {
        AddAll(save.TakeGuards());
        return base.TryAddCommand(modificationCommand);
    }

    public override void Complete(bool moreBatchesExpected)
    {
        if (!moreBatchesExpected)
        {
            AddAll(save.TakeGuards());
            AddAll(save.TakeMessages());
        }

        base.Complete(moreBatchesExpected);
    }

    protected override void AddCommand(IReadOnlyModificationCommand modificationCommand)
    {
        var start = SqlBuilder.Length;
        var position = ResultSetMappings.Count;

        if (modificationCommand is EnvelopeStatement statement)
        {
            statement.AppendSql(SqlBuilder, Dependencies.SqlGenerationHelper);
            ResultSetMappings.Add(ResultSetMapping.LastInResultSet);
            AddParameters(modificationCommand);
            SetRequiresTransaction(position > 0);
        }
        else
        {
            base.AddCommand(modificationCommand);
        }

        if (save.IsServerJudged)
        {
            Judge(modificationCommand, start, position);
        }
    }

    protected override void AddParameter(IColumnModification columnModification)
    {
        if (columnModification is not CeilingColumnModification ceiling || !ParameterValues.ContainsKey(ceiling.SharedName))
        {
            base.AddParameter(columnModification);
        }
    }

    protected override void ThrowAggregateUpdateConcurrencyException(RelationalDataReader reader, int commandIndex, int expectedRowsAffected, int rowsAffected)
    {
        if (ModificationCommands[commandIndex] is EnvelopeStatement statement)
        {
            throw statement.Refuse();
        }

        base.ThrowAggregateUpdateConcurrencyException(reader, commandIndex, expectedRowsAffected, rowsAffected);
    }

    protected override Task ThrowAggregateUpdateConcurrencyExceptionAsync(
        RelationalDataReader reader, int commandIndex, int expectedRowsAffected, int rowsAffected, CancellationToken cancellationToken)
        => ModificationCommands[commandIndex] is EnvelopeStatement statement
            ? throw statement.Refuse()
            : base.ThrowAggregateUpdateConcurrencyExceptionAsync(reader, commandIndex, expectedRowsAffected, rowsAffected, cancellationToken);

    private void AddAll(List<EnvelopeStatement> statements)
    {
        foreach (var statement in statements)
        {
            base.TryAddCommand(statement);
        }
    }

    /// <summary>Rewrites the statement that was just appended so that the server judges its row count.</summary>
    private void Judge(IReadOnlyModificationCommand command, int start, int position)
    {
        if (command.StoreStoredProcedure is not null)
        {
            _everyCommandIsJudged = false;
            return;
        }

        if (command is EnvelopeStatement { IsChecked: false })
        {
            return;
        }

        var returnsRow = ResultSetMappings[position] != ResultSetMapping.NoResults;
        if (!returnsRow && command.EntityState == EntityState.Added)
        {
            // EF does not count the rows of such an INSERT either; judging it costs the server as much as the insert.
            return;
        }

        while (SqlBuilder[^1] is '\n' or '\r' or ';')
        {
            SqlBuilder.Length--;
        }

        if (!returnsRow)
        {
            SqlBuilder.Append("\nRETURNING 1");
        }

        SqlBuilder.Insert(start, WriteEnvelopeSql.JudgeBegin);
        WriteEnvelopeSql.AppendJudgeEnd(SqlBuilder, returnsColumns: returnsRow && command is not EnvelopeStatement, guardSchema, position);
        SqlBuilder.AppendLine(Dependencies.SqlGenerationHelper.StatementTerminator);
        ResultSetMappings[position] = ResultSetMapping.LastInResultSet;
    }
}
