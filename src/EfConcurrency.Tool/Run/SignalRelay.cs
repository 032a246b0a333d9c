using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EfConcurrency.Tool.Run;

/// <summary>Hears the signals that would end efc, and passes them on to the command: efc ends when the command has ended.</summary>
internal sealed class SignalRelay : IDisposable
{
    private static readonly (PosixSignal Signal, int Number)[] Passed =
    [
        (PosixSignal.SIGHUP, Posix.Hangup), (PosixSignal.SIGINT, Posix.Interrupt), (PosixSignal.SIGQUIT, Posix.Quit), (PosixSignal.SIGTERM, Posix.Terminate),
    ];

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _asked = new();
    private readonly List<PosixSignalRegistration> _registrations;
    private readonly List<int> _waiting = [];
    private readonly SignalTarget _target;
    private Process? _command;

    public SignalRelay(SignalTarget target)
    {
        _target = target;
        _registrations = [.. Passed.Select(p => PosixSignalRegistration.Create(p.Signal, context => Hear(context, p.Number)))];
    }

    /// <summary>Cancelled by the first signal, for what comes before the command.</summary>
    public CancellationToken Asked => _asked.Token;

    /// <summary>The first signal.</summary>
    public int? First { get; private set; }

    /// <summary>From now on they go to the command; so do those that have come since efc was started.</summary>
    public void PassTo(Process command)
    {
        lock (_lock)
        {
            _command = command;
            _waiting.ForEach(s => _target.Send(command, s));
        }
    }

    public void Dispose()
    {
        _registrations.ForEach(r => r.Dispose());
        _asked.Dispose();
    }

    private void Hear(PosixSignalContext context, int signal)
    {
        context.Cancel = true;
        if (_target.IsEcho(signal))
        {
            return;
        }

        lock (_lock)
        {
            First ??= signal;
            if (_command is null)
            {
                _waiting.Add(signal);
                _ = _asked.CancelAsync();
            }
            else if (signal is Posix.Hangup or Posix.Terminate || !Posix.IsInForeground)
            {
                // A key that was pressed (Ctrl+C, Ctrl+\) has reached the command already: twice is another request to many programs.
                _target.Send(_command, signal);
            }
        }
    }
}
