using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace EfConcurrency.Tool.Cli;

/// <summary>Data on stdout, messages on stderr. What is piped has no colours, no borders and no line breaks that are not ours.</summary>
internal sealed class Screen
{
    private const int Unwrapped = 10_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly IAnsiConsole _messages;

    private Screen(bool isJson, bool isPlain)
    {
        IsJson = isJson;
        Out = Create(Console.Out, isPlain || Console.IsOutputRedirected, Console.IsOutputRedirected);
        _messages = Create(Console.Error, isPlain || Console.IsErrorRedirected, Console.IsErrorRedirected);
    }

    public bool IsJson { get; }

    /// <summary>Whether a person sits there, who can be asked and for whom a screen may be drawn again and again.</summary>
    public bool IsInteractive => !Console.IsInputRedirected && !Console.IsOutputRedirected && !IsJson;

    /// <summary>For what <see cref="List{T}"/> and <see cref="Details"/> do not cover: trees, live views.</summary>
    public IAnsiConsole Out { get; }

    public static Screen For(ParseResult arguments) => new(
        arguments.GetValue(GlobalOptions.Output) == "json",
        arguments.GetValue(GlobalOptions.NoColor) || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 });

    /// <summary>Rows as a table, or as a JSON array of what they hold.</summary>
    /// <param name="rows">Records with camel-case names in JSON; times in ISO 8601, durations in seconds by their name.</param>
    /// <param name="none">What a person reads when there is none.</param>
    /// <param name="columns">Heading and text of each column of the table.</param>
    public void List<T>(IReadOnlyCollection<T> rows, string none, params ReadOnlySpan<(string Heading, Func<T, string?> Text)> columns)
    {
        if (IsJson)
        {
            WriteJson(rows);
        }
        else if (rows.Count == 0)
        {
            Message(none);
        }
        else
        {
            Out.Write(Table(rows, columns));
        }
    }

    public Table Table<T>(IEnumerable<T> rows, params ReadOnlySpan<(string Heading, Func<T, string?> Text)> columns)
    {
        var table = new Table { Border = Out.Profile.Out.IsTerminal ? TableBorder.Simple : TableBorder.None };
        foreach (var (heading, _) in columns)
        {
            table.AddColumn(new TableColumn(new Markup($"[bold]{Markup.Escape(heading)}[/]")) { NoWrap = !Out.Profile.Out.IsTerminal });
        }

        foreach (var row in rows)
        {
            var cells = new List<Text>();
            foreach (var (_, text) in columns)
            {
                var value = text(row) ?? "";
                cells.Add(new(value, StateStyle.Of(value)));
            }

            table.AddRow(cells);
        }

        return table;
    }

    /// <summary>One thing as lines of name and value, or as a JSON object.</summary>
    public void Details<T>(T item, params ReadOnlySpan<(string Name, string? Value)> lines)
    {
        if (IsJson)
        {
            WriteJson(item);
            return;
        }

        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn { NoWrap = !Out.Profile.Out.IsTerminal });
        foreach (var (name, value) in lines)
        {
            if (value is not null)
            {
                grid.AddRow(new Text(name), new Text(value));
            }
        }

        Out.Write(grid);
    }

    /// <summary>A whole: as JSON, or as a person reads it.</summary>
    /// <param name="whole">Records with camel-case names in JSON; times in ISO 8601, durations in seconds by their name.</param>
    /// <param name="print">Writes it for a person.</param>
    public void Show<T>(T whole, Action print)
    {
        if (IsJson)
        {
            WriteJson(whole);
        }
        else
        {
            print();
        }
    }

    public void WriteJson<T>(T value) => Out.Profile.Out.Writer.WriteLine(JsonSerializer.Serialize(value, Json));

    /// <summary>Text as it is: neither wrapped nor coloured.</summary>
    public void WriteText(string text) => Out.Profile.Out.Writer.WriteLine(text);

    public void Message(string text) => _messages.WriteLine(text);

    public void Error(string text) => _messages.Write(new Text($"efc: {text.ReplaceLineEndings(" ")}\n", new Style(foreground: Color.Red)));

    public string Ask(string question)
    {
        _messages.Write(new Text(question + " "));
        return Console.ReadLine() ?? "";
    }

    /// <summary>Spectre.Console writes colours into pipes unless it is told not to.</summary>
    private static IAnsiConsole Create(TextWriter writer, bool isPlain, bool isRedirected)
    {
        var console = AnsiConsole.Create(new()
        {
            Ansi = isPlain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isPlain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Out = new AnsiConsoleOutput(writer),
        });
        if (isRedirected)
        {
            console.Profile.Width = Unwrapped;
        }

        return console;
    }
}
