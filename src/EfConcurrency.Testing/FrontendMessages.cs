using System.Buffers.Binary;
using System.Text;

namespace EfConcurrency.Testing;

/// <summary>Cuts a stream of bytes from the client into messages and finds those that end a batch, and the commits among them.</summary>
internal sealed class FrontendMessages
{
    private const int StartupHeader = 4;
    private const int Header = 5;
    private const int SslRequest = 80877103;
    private const int GssEncryptionRequest = 80877104;

    private readonly HashSet<string> _commitStatements = new(StringComparer.Ordinal);
    private readonly HashSet<string> _commitPortals = new(StringComparer.Ordinal);
    private bool _isStarted;
    private bool _batchCommits;

    /// <summary>What a message means for the proxy.</summary>
    internal enum Meaning
    {
        /// <summary>Nothing that a fault could fall on: the start of the session, data of COPY, a flush.</summary>
        Other,

        /// <summary>Part of a batch that is not yet complete.</summary>
        Part,

        /// <summary>The server answers after it: Sync, or a simple query.</summary>
        End,

        /// <summary>As <see cref="End"/>, and it ends a batch in which there is a COMMIT.</summary>
        Commit,
    }

    /// <summary>Length of the first message in <paramref name="bytes"/>, or 0 when it is not complete.</summary>
    public int Length(ReadOnlySpan<byte> bytes)
    {
        var header = _isStarted ? Header : StartupHeader;
        if (bytes.Length < header)
        {
            return 0;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(bytes[(header - 4)..]) + header - 4;
        return bytes.Length < length ? 0 : length;
    }

    /// <summary>Reads one whole message.</summary>
    public Meaning Read(ReadOnlySpan<byte> message)
    {
        if (!_isStarted)
        {
            // libpq asks for encryption first, and starts the session when the server has said no.
            _isStarted = BinaryPrimitives.ReadInt32BigEndian(message[StartupHeader..]) is not (SslRequest or GssEncryptionRequest);
            return Meaning.Other;
        }

        var body = message[Header..];
        switch ((char)message[0])
        {
            case 'Q':
                return IsCommit(Text(ref body)) ? Meaning.Commit : Meaning.End;
            case 'P':
                Remember(_commitStatements, Text(ref body), IsCommit(Text(ref body)));
                return Meaning.Part;
            case 'B':
                var portal = Text(ref body);
                Remember(_commitPortals, portal, _commitStatements.Contains(Text(ref body)));
                return Meaning.Part;
            case 'E':
                _batchCommits |= _commitPortals.Contains(Text(ref body));
                return Meaning.Part;
            case 'D' or 'C':
                return Meaning.Part;
            case 'S':
                var meaning = _batchCommits ? Meaning.Commit : Meaning.End;
                _batchCommits = false;
                return meaning;
            default:
                return Meaning.Other;
        }
    }

    private static void Remember(HashSet<string> names, string name, bool isCommit)
    {
        if (isCommit)
        {
            names.Add(name);
        }
        else
        {
            names.Remove(name);
        }
    }

    private static bool IsCommit(string sql)
    {
        var statement = sql.Trim().TrimEnd(';').TrimEnd();
        return statement.Equals("COMMIT", StringComparison.OrdinalIgnoreCase) || statement.Equals("END", StringComparison.OrdinalIgnoreCase);
    }

    private static string Text(ref ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(body[..end]);
        body = body[(end + 1)..];
        return text;
    }
}
