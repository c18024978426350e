import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const SOURCES = [
  'lib',
  'sample-app',
  'scripts',
  'package.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** The sample application as `npm start` makes it, in a directory of its own: nobody else's `dist` is touched. */
export class SampleAppBuild {
  private constructor(private readonly directory: string) {}

  static async make(): Promise<SampleAppBuild> {
    const directory = await mkdtemp(join(tmpdir(), 'sample-app-'));
    await Promise.all(
      SOURCES.map((each) => cp(join(ROOT, each), join(directory, each), { recursive: true })),
    );
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    await run('npm', ['run', 'prestart'], { cwd: directory, env: environment() });
    return new SampleAppBuild(directory);
  }

  start(variables: NodeJS.ProcessEnv = {}): Promise<SampleApp> {
    return SampleApp.start([process.execPath, 'dist-sample/main.js'], this.directory, variables);
  }

  /** Starts it by `npm start`, which runs it as a process of its own and hands signals on. */
  startByNpm(): Promise<SampleApp> {
    return SampleApp.start(['npm', 'start', '--ignore-scripts'], this.directory);
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}

/** A running process of the sample application. */
export class SampleApp {
  readonly pid: number;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  url = '';
  /** All that it printed. */
  output = '';

  private constructor(private readonly process: ChildProcess) {
    this.pid = process.pid!;
    this.exited = once(process, 'close').then(
      ([code, signal]: (number | NodeJS.Signals | null)[]) => (code ?? signal)!,
    );
  }

  /** Resolves when it listens. */
  static async start(
    [command, ...args]: [string, ...string[]],
    directory: string,
    variables: NodeJS.ProcessEnv = {},
  ): Promise<SampleApp> {
    const LAST_DRAIN_FILE = join(directory, 'last-drain.json');
    const env = environment({ PORT: '0', NO_COLOR: '1', LAST_DRAIN_FILE, ...variables });
    const app = new SampleApp(
      spawn(command, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true }),
    );
    app.url = await app.prints(/Listening on (\S+)/);
    return app;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Ends it, and whatever runs it or is left of it, without asking. */
  async kill(): Promise<void> {
    try {
      process.kill(-this.pid, 'SIGKILL'); // `detached` made it a group
    } catch {
      // All of it is gone.
    }
    await this.exited;
  }

  /** The processes that it started, and those that they started. */
  async descendants(): Promise<number[]> {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
    const processes = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
    const childrenOf = (parent: number): number[] =>
      processes.flatMap(([pid, ppid]) => (ppid === parent ? [pid!, ...childrenOf(pid!)] : []));
    return childrenOf(this.pid);
  }

  private prints(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const read = (chunk: Buffer) => {
        this.output += chunk.toString();
        const found = pattern.exec(this.output)?.[1];
        if (found !== undefined) resolve(found);
      };
      this.process.stdout!.on('data', read);
      this.process.stderr!.on('data', read);
      void this.exited.then(() => reject(new Error(`It ended before it listened:\n${this.output}`)));
    });
  }
}

/** This process's environment, without what is meant for Jest alone. */
function environment(variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NODE_OPTIONS, REDIS_URL, ...rest } = process.env;
  return { ...rest, ...variables };
}
