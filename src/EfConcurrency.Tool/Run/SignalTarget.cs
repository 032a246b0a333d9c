using System.Diagnostics;

namespace EfConcurrency.Tool.Run;

/// <summary>
/// Whom signals go to. A shell that is ended leaves the programs that it started behind, so that the work would go on without its lease: they go to the whole
/// process group, which efc makes for itself, as timeout(1) does. On a terminal groups are the shell's business (a group of its own could not read from it): there
/// they go to efc's group only where efc leads it, and otherwise to the command alone.
/// </summary>
internal sealed class SignalTarget
{
    private readonly bool _isGroup;
    private readonly Lock _lock = new();
    private readonly Dictionary<int, int> _echoes = [];

    /// <summary>To be made before the command is started, which then belongs to the group.</summary>
    public SignalTarget() => _isGroup = Posix.LeadsGroup || (!Posix.HasTerminal && Posix.MakeGroup());

    public void Send(Process command, int signal)
    {
        if (_isGroup)
        {
            lock (_lock)
            {
                _echoes[signal] = _echoes.GetValueOrDefault(signal) + 1;
            }

            Posix.Send(process: 0, signal);
        }
        else if (!command.HasExited)
        {
            Posix.Send(command.Id, signal);
        }
    }

    /// <summary>Whether a signal that came is the one that was sent to the group, to which efc itself belongs.</summary>
    public bool IsEcho(int signal)
    {
        lock (_lock)
        {
            if (_echoes.GetValueOrDefault(signal) is > 0 and var count)
            {
                _echoes[signal] = count - 1;
                return true;
            }

            return false;
        }
    }
}
