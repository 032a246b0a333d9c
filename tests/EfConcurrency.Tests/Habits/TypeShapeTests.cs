using System.Reflection;

namespace EfConcurrency.Tests.Habits;

/// <summary>Classes are closed unless the library itself derives from them; what talks to the database is named and cancelled alike.</summary>
public sealed class TypeShapeTests
{
    /// <summary>These act at once; the task that they return is a signal to wait for, or not.</summary>
    private const string Signals = "EfConcurrency.Testing.FaultProxy.FaultNext";

    [Fact]
    public void Classes_are_sealed_static_or_abstract()
        => Habit.Holds(
            "A class is sealed, static or abstract, public or not, unless a class of the same assembly derives from it.",
            Habit.Assemblies.SelectMany(a => Open([.. Habit.WrittenTypes(a)])));

    [Fact]
    public void Public_methods_that_return_a_task_end_with_Async_and_take_a_token_last()
        => Habit.Holds(
            "A public method that returns a task ends with Async and takes a CancellationToken last.",
            Habit.Assemblies.SelectMany(a => a.GetExportedTypes()).SelectMany(Uncancellable).Where(v => !v.StartsWith(Signals, StringComparison.Ordinal)));

    [Fact]
    public void An_open_class_is_found()
        => Assert.Equal(["Leaf is open"], Open([typeof(Root), typeof(Leaf), typeof(Closed), typeof(Static)]).Select(v => v[(v.IndexOf('+', StringComparison.Ordinal) + 1)..]));

    [Fact]
    public void A_method_that_cannot_be_cancelled_is_found()
        => Assert.Equal(["NoTokenAsync", "TokenFirstAsync", "NotNamed", "NoTaskAsync"], Uncancellable(typeof(Methods)).Select(v => v.Split('.', ':')[^2]));

    private static IEnumerable<string> Open(Type[] types)
        => from type in types
           where type is { IsClass: true, IsSealed: false, IsAbstract: false } && !typeof(Delegate).IsAssignableFrom(type)
           where !types.Any(t => t.BaseType is { } b && (b.IsGenericType ? b.GetGenericTypeDefinition() : b) == type)
           select $"{type.FullName} is open";

    private static IEnumerable<string> Uncancellable(Type type)
    {
        foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        {
            if (method.IsSpecialName || IsGivenFromOutside(method))
            {
                continue;
            }

            var where = $"{type.FullName}.{method.Name}";
            var isAsync = method.Name.EndsWith("Async", StringComparison.Ordinal);
            var returnsTask = method.ReturnType.Namespace == "System.Threading.Tasks" && method.ReturnType.Name.Split('`')[0] is "Task" or "ValueTask";
            if (isAsync != returnsTask)
            {
                yield return isAsync ? $"{where}: returns no task" : $"{where}: name does not end with Async";
            }
            else if (isAsync && method.GetParameters().LastOrDefault()?.ParameterType != typeof(CancellationToken))
            {
                yield return $"{where}: no CancellationToken at the end";
            }
        }
    }

    /// <summary>Whether the signature is not ours: an override or an implementation of what another assembly declares.</summary>
    private static bool IsGivenFromOutside(MethodInfo method)
    {
        var type = method.DeclaringType!;
        return method.GetBaseDefinition().DeclaringType!.Assembly != type.Assembly
            || (!type.IsInterface && type.GetInterfaces().Where(i => i.Assembly != type.Assembly).Any(i => type.GetInterfaceMap(i).TargetMethods.Contains(method)));
    }

    private class Root;

    private class Leaf : Root;

    private sealed class Closed : Root;

    private static class Static;

    private sealed class Methods : IAsyncDisposable
    {
        public static Task FineAsync(int x, CancellationToken cancellationToken) => Task.Delay(x, cancellationToken);

        public static Task NoTokenAsync() => Task.CompletedTask;

        public static Task TokenFirstAsync(CancellationToken cancellationToken, params int[] x) => Task.Delay(x.Length, cancellationToken);

        public static ValueTask<int> NotNamed(CancellationToken cancellationToken) => ValueTask.FromCanceled<int>(cancellationToken);

        public static int NoTaskAsync(CancellationToken cancellationToken) => cancellationToken.GetHashCode();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
