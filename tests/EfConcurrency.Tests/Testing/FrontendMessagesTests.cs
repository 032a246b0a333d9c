using System.Buffers.Binary;
using System.Text;
using EfConcurrency.Testing;

namespace EfConcurrency.Tests.Testing;

public sealed class FrontendMessagesTests
{
    private readonly FrontendMessages _messages = new();

    public FrontendMessagesTests() => Read(Startup());

    [Theory]
    [InlineData("COMMIT", true)]
    [InlineData("commit ;", true)]
    [InlineData("END", true)]
    [InlineData("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED", false)]
    [InlineData("select 'COMMIT'", false)]
    [InlineData("ROLLBACK", false)]
    public void A_commit_is_a_statement_of_its_own(string sql, bool isCommit)
        => Assert.Equal(isCommit ? FrontendMessages.Meaning.Commit : FrontendMessages.Meaning.End, Read(Message('Q', sql)));

    [Fact]
    public void A_prepared_commit_is_found_where_it_is_executed()
    {
        Read(Message('P', "s1", "COMMIT"));
        Assert.Equal(FrontendMessages.Meaning.End, Read(Message('S')));
        Read(Message('B', "", "s1"));
        Read(Message('E', ""));
        Assert.Equal(FrontendMessages.Meaning.Commit, Read(Message('S')));
        Assert.Equal(FrontendMessages.Meaning.End, Read(Message('S')));
    }

    [Fact]
    public void A_portal_that_is_bound_to_something_else_is_no_commit()
    {
        Read(Message('P', "s1", "COMMIT"));
        Read(Message('B', "", "s1"));
        Read(Message('P', "", "select 1"));
        Read(Message('B', "", ""));
        Read(Message('E', ""));
        Assert.Equal(FrontendMessages.Meaning.End, Read(Message('S')));
    }

    [Fact]
    public void A_message_that_is_not_complete_has_no_length()
    {
        var message = Message('Q', "COMMIT");
        for (var n = 0; n < message.Length; n++)
        {
            Assert.Equal(0, _messages.Length(message.AsSpan(0, n)));
        }

        Assert.Equal(message.Length, _messages.Length([.. message, .. message]));
    }

    private static byte[] Startup()
    {
        var bytes = new byte[9];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length);
        return bytes;
    }

    private static byte[] Message(char type, params string[] texts)
    {
        var body = texts.SelectMany(t => Encoding.UTF8.GetBytes(t + "\0")).ToArray();
        var message = new byte[5 + body.Length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + body.Length);
        body.CopyTo(message, 5);
        return message;
    }

    private FrontendMessages.Meaning Read(byte[] message) => _messages.Read(message.AsSpan(0, _messages.Length(message)));
}
