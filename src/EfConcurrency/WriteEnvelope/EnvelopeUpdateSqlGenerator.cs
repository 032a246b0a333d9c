#pragma warning disable EF1001 // The provider's generator writes the WHERE clause; only this one comparison differs.
using System.Text;
using Microsoft.EntityFrameworkCore.Update;
using Npgsql.EntityFrameworkCore.PostgreSQL.Update.Internal;

namespace EfConcurrency.WriteEnvelope;

/// <summary>Writes <c>column &lt;= @value</c> for ceiling columns.</summary>
internal sealed class EnvelopeUpdateSqlGenerator(UpdateSqlGeneratorDependencies dependencies) : NpgsqlUpdateSqlGenerator(dependencies)
{
    protected override void AppendWhereCondition(StringBuilder commandStringBuilder, IColumnModification columnModification, bool useOriginalValue)
    {
        if (columnModification is not CeilingColumnModification ceiling)
        {
            base.AppendWhereCondition(commandStringBuilder, columnModification, useOriginalValue);
            return;
        }

        SqlGenerationHelper.DelimitIdentifier(commandStringBuilder, columnModification.ColumnName);
        commandStringBuilder.Append(" <= ");
        SqlGenerationHelper.GenerateParameterNamePlaceholder(commandStringBuilder, ceiling.SharedName);
    }
}
