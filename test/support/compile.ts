import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The project's own compiler options. */
function projectOptions(): ts.CompilerOptions {
  const path = join(ROOT, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown };
  return ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options;
}

/**
 * What TypeScript has to say against these sources, a line each. The keys are paths from the root of the project; where there is no
 * such file it is compiled as if there were.
 */
export function compile(sources: Readonly<Record<string, string>>): string[] {
  const options = projectOptions();
  const host = ts.createCompilerHost(options);
  const virtual = new Map(Object.entries(sources).map(([path, text]) => [join(ROOT, path), text]));
  const onDisk = { ...host };
  host.fileExists = (path) => virtual.has(path) || onDisk.fileExists(path);
  host.readFile = (path) => virtual.get(path) ?? onDisk.readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = virtual.get(path);
    return text === undefined
      ? onDisk.getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  };
  const program = ts.createProgram([...virtual.keys()], options, host);
  return [...virtual.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return ts.getPreEmitDiagnostics(program, file).map((diagnostic) => describe(diagnostic));
  });
}

function describe({ file, start, messageText }: ts.Diagnostic): string {
  const line =
    file === undefined ? '' : `${file.fileName.slice(ROOT.length + 1)}:${lineOf(file, start ?? 0)}: `;
  return line + ts.flattenDiagnosticMessageText(messageText, ' ');
}

const lineOf = (file: ts.SourceFile, position: number) =>
  file.getLineAndCharacterOfPosition(position).line + 1;
