using System.Text;

namespace EfConcurrency.Tests.Habits;

/// <summary>A string literal: its line, and its text with <c>{}</c> for what is interpolated.</summary>
internal sealed record Literal(int Line, string Text);

/// <summary>
/// Tells code from string literals and comments: enough of C#'s lexical rules for the files of this repository, all kinds of
/// string literal included. The code in an interpolation hole is code.
/// </summary>
internal sealed class CSharpText
{
    private readonly string _source;
    private readonly StringBuilder _code = new();
    private readonly List<Literal> _literals = [];
    private int _at;

    private CSharpText(string source) => _source = source;

    /// <summary>The source with nothing but line breaks in place of comments and literals.</summary>
    public string Code => _code.ToString();

    public IReadOnlyList<Literal> Literals => _literals;

    public static CSharpText Of(string source)
    {
        var text = new CSharpText(source);
        text.ReadCode(inHole: false, braces: 0);
        return text;
    }

    private void ReadCode(bool inHole, int braces)
    {
        var depth = 0;
        while (_at < _source.Length)
        {
            if (inHole && depth == 0 && (_source[_at] is '}' or ':' && !Starts("::")))
            {
                Skip(_source.IndexOf(new string('}', braces), _at, StringComparison.Ordinal) + braces - _at);
                return;
            }

            if (Starts("//"))
            {
                Skip(End("\n", including: false) - _at);
            }
            else if (Starts("/*"))
            {
                Skip(End("*/", including: true) - _at);
            }
            else if (_source[_at] == '\'')
            {
                Skip(CharLength());
            }
            else if (!ReadLiteral())
            {
                depth += _source[_at] switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
                _code.Append(_source[_at++]);
            }
        }
    }

    private bool ReadLiteral()
    {
        var at = _at;
        while (at < _source.Length && _source[at] is '$' or '@')
        {
            at++;
        }

        if (at == _source.Length || _source[at] != '"')
        {
            return false;
        }

        var prefix = _source[_at..at];
        var quotes = Run('"', at);
        var dollars = prefix.Count(c => c == '$');
        if (quotes == 2)
        {
            Skip(prefix.Length + 2);
            _literals.Add(new(Line(), ""));
            return true;
        }

        var line = Line();
        Skip(prefix.Length + (quotes > 2 ? quotes : 1));
        _code.Append(' ');
        _literals.Add(new(line, ReadContent(quotes, dollars, prefix.Contains('@', StringComparison.Ordinal))));
        return true;
    }

    private string ReadContent(int quotes, int dollars, bool isVerbatim)
    {
        var content = new StringBuilder();
        while (_at < _source.Length)
        {
            var c = _source[_at];
            if (c == '"' && quotes > 2 && Run('"', _at) >= quotes)
            {
                Skip(quotes);
                break;
            }

            if (c == '"' && quotes == 1 && !(isVerbatim && Run('"', _at) > 1))
            {
                Skip(1);
                break;
            }

            if (dollars > 0 && c == '{' && (quotes > 2 ? Run('{', _at) >= dollars : Run('{', _at) == 1))
            {
                content.Append("{}");
                Skip(quotes > 2 ? Run('{', _at) : 1);
                ReadCode(inHole: true, quotes > 2 ? dollars : 1);
                continue;
            }

            var isPair = quotes == 1 && ((isVerbatim ? c == '"' : c == '\\') || (dollars > 0 && c == '{'));
            var length = isPair ? 2 : 1;
            content.Append(_source.AsSpan(_at, length));
            Skip(length);
        }

        return content.ToString();
    }

    private int CharLength()
        => _source.IndexOf('\'', _at + (_source[_at + 1] == '\\' ? 3 : 2)) + 1 - _at;

    private bool Starts(string text) => string.CompareOrdinal(_source, _at, text, 0, text.Length) == 0;

    private int End(string text, bool including)
        => _source.IndexOf(text, _at, StringComparison.Ordinal) is var end and >= 0 ? end + (including ? text.Length : 0) : _source.Length;

    private int Run(char c, int at)
    {
        var end = at;
        while (end < _source.Length && _source[end] == c)
        {
            end++;
        }

        return end - at;
    }

    private int Line() => 1 + _source.AsSpan(0, _at).Count('\n');

    private void Skip(int length)
    {
        _code.Append('\n', _source.AsSpan(_at, length).Count('\n'));
        _at += length;
    }
}
