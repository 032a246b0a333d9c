using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Migrations;

/// <summary>
/// What migrations create beside a table when its entity types ask for it (triggers), and drop when they no longer do. Everything it is made
/// from is in the description, which EF's differ compares: another description drops it and creates it anew.
/// </summary>
internal interface ITableObject
{
    /// <summary>Name of the annotation under which the description travels on a table. Part of users' migrations: never rename it.</summary>
    string Annotation { get; }

    /// <summary>What the object of <paramref name="table"/> is made from, or null when it has none.</summary>
    string? Describe(ITable table);

    /// <summary>Whether the object stops <paramref name="column"/> from being dropped.</summary>
    bool UsesColumn(IColumn column) => false;

    /// <summary>What is appended to the CREATE TABLE itself, or null. At most one object of a table may have such a clause.</summary>
    string? CreateTableClause(string description, ISqlGenerationHelper sql) => null;

    /// <summary>SQL that creates it, or null.</summary>
    /// <param name="description">From <see cref="Describe"/>.</param>
    /// <param name="table">The quoted table.</param>
    /// <param name="sql">Quotes identifiers.</param>
    string? Create(string description, string table, ISqlGenerationHelper sql) => null;

    /// <summary>SQL that takes it off the table, or null; must not fail when it is gone.</summary>
    string? Drop(string description, string table, ISqlGenerationHelper sql) => null;

    /// <summary>SQL that drops what is left when the table, or what was on it, is dropped; or null.</summary>
    string? DropRest(string description, ISqlGenerationHelper sql) => null;
}
