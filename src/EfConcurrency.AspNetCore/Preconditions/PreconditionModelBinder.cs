using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace EfConcurrency.AspNetCore.Preconditions;

/// <summary>Gives MVC actions <see cref="IfMatch"/> and <see cref="IfNoneMatch"/>, as minimal APIs bind them by themselves.</summary>
internal sealed class PreconditionModelBinder : IModelBinder
{
    public Task BindModelAsync(ModelBindingContext bindingContext)
    {
        object header = bindingContext.ModelType == typeof(IfMatch) ? IfMatch.Of(bindingContext.HttpContext) : IfNoneMatch.Of(bindingContext.HttpContext);
        bindingContext.ValidationState[header] = new() { SuppressValidation = true };
        bindingContext.Result = ModelBindingResult.Success(header);
        return Task.CompletedTask;
    }
}
