using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfConcurrency.Fencing;

/// <summary>What the statements of this room need to know of a model. Cached on it.</summary>
internal sealed class FencingModel
{
    private const string Annotation = "EfConcurrency:FencingModel";

    private FencingModel(IModel model, ISqlGenerationHelper sql)
    {
        if (Fencing.TokenTable.FindEntityType(model) is { } tokens)
        {
            TokenTable = sql.DelimitIdentifier(tokens.GetTableName()!, tokens.GetSchema());
            PresentFunction = sql.DelimitIdentifier(FencingSql.PresentFunction, tokens.GetSchema());
            FunctionSchema = tokens.GetSchema()!;
        }

        IsStrict = model.GetEntityTypes().Any(t => t.FindAnnotation(FencingAnnotations.Trigger)?.Value is FencingAnnotations.StrictTrigger);
    }

    /// <summary>The quoted table of current tokens, or null: tokens are then checked against the rows alone.</summary>
    public string? TokenTable { get; }

    /// <summary>The quoted function that accepts tokens, in the schema of that table: two contexts may have a table each. Null as the table.</summary>
    public string? PresentFunction { get; }

    /// <summary>The schema of that function, not quoted. Null as the table.</summary>
    public string? FunctionSchema { get; }

    /// <summary>Whether some table wants to see the tokens in every transaction that writes it.</summary>
    public bool IsStrict { get; }

    public static FencingModel Of(IModel model, ISqlGenerationHelper sql)
        => model.GetOrAddRuntimeAnnotationValue(Annotation, static s => new FencingModel(s!.Value.model, s.Value.sql), ((IModel model, ISqlGenerationHelper sql)?)(model, sql));
}
