using Bank.Storm;

namespace Bank.Report;

/// <summary>Shows a run while it goes on.</summary>
internal interface IStormView
{
    void Show(StormMode mode, StormTotals totals);

    void Tell(StormMode mode, string what);
}
