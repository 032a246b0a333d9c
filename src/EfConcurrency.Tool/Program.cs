using EfConcurrency.Tool.Cli;

return await EfcCommandLine.RunAsync(args);
