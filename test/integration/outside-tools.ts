import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A program of this machine that reads its standard input and writes its standard output. */
export type OutsideTool = 'gzip' | 'pigz' | 'brotli' | 'zstd';

/** What `tool` makes of `input`. */
export async function runTool(
  tool: OutsideTool,
  args: readonly string[],
  input: Uint8Array,
): Promise<Buffer> {
  const child = spawn(tool, args);
  child.stdin.on('error', () => undefined); // a program that gives up closes it early; its exit code tells
  child.stdin.end(input);
  const [output, complaint, [exitCode]] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  if (exitCode !== 0)
    throw new Error(`${tool} ${args.join(' ')} ended with ${exitCode}: ${complaint.trim()}`);
  return output;
}

/**
 * Installs what is missing, by the machine's package manager: the package is called as the program is.
 * @throws {Error} one line that says what to install
 */
export async function ensureTools(tools: readonly OutsideTool[]): Promise<void> {
  for (const tool of tools) {
    if (!(await isInstalled(tool))) await install(tool);
  }
}

async function install(tool: OutsideTool): Promise<void> {
  const refusals: string[] = [];
  for (const attempt of [installWithApt, installWithBrew]) {
    try {
      await attempt(tool);
      if (await isInstalled(tool)) return;
    } catch (error) {
      refusals.push(lastLineOf(error));
    }
  }
  throw new Error(`These tests need the program ${tool}: install it (${refusals.join('; ')})`);
}

async function installWithApt(tool: OutsideTool): Promise<void> {
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = (...args: string[]) => {
    const line = [
      ...sudo,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-o',
      'DPkg::Lock::Timeout=120',
      ...args,
    ];
    const [command = '', ...rest] = line;
    return execute(command, rest);
  };
  await apt('install', '-y', '--no-install-recommends', tool).catch(async () => {
    await apt('update');
    await apt('install', '-y', '--no-install-recommends', tool);
  });
}

async function installWithBrew(tool: OutsideTool): Promise<void> {
  await execute('brew', ['install', tool]);
}

function isInstalled(tool: OutsideTool): Promise<boolean> {
  return execute(tool, ['--version']).then(
    () => true,
    () => false,
  );
}

function lastLineOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string };
  return (stderr || message).trim().split('\n').at(-1) ?? '';
}
