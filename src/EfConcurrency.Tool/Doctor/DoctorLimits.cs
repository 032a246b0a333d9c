namespace EfConcurrency.Tool.Doctor;

/// <summary>From when on something is a finding.</summary>
internal sealed record DoctorLimits(TimeSpan IdleInTransaction, TimeSpan TransactionAge, TimeSpan ClockSkew, long DeadRows, long TransactionIdAge);
