import type { ResourceFactory } from '../../lib/core/resource-factory.js';
import { Conduct, Verdict, type FakeResource } from './fake-factory.js';
import { newborn, type Life, type Thing } from './pool-model.life.js';
import type { World } from './pool-model.world.js';

/** What a factory has to do. */
export type Duty = 'create' | 'destroy' | 'validate' | 'reset';

/** The pause after a first failure; each one more doubles it. */
const PAUSE_MS = { first: 50, longest: 1_000 };

const BREAKER_OPENS_AT = 5;

/** A factory that can misbehave in every way there is, and complains when the pool does. */
export class ModelFactory implements ResourceFactory<FakeResource> {
  readonly creates = new Conduct('create');
  readonly destroys = new Conduct('destroy');
  readonly validates = new Verdict('validate', true);
  readonly resets = new Verdict('reset', 'keep');
  /** It can end what a task waits for; or there is never anything to end. */
  interrupts: Conduct | undefined;
  gift: 'new' | 'nothing' | 'known' = 'new';
  watching: 'quiet' | 'throws' | 'breaks' = 'quiet';
  heedsAbort = true;
  readonly lives: Life[] = [];
  /** Does something to the pool, once, in the middle of a call. */
  meddling: { readonly during: Duty; readonly meddle: () => void } | undefined;
  /** Until then the pool may wait before it tries to open something again. */
  pauseUntil = -Infinity;

  readonly #world: World;
  #failuresInARow = 0;
  #succeededAt = -Infinity;
  #failedAt = -Infinity;
  #renewedAt = -Infinity;
  readonly #things = new Set<Thing>();

  constructor(world: World) {
    this.#world = world;
  }

  /** From now on everything works, and at once. */
  behave(): void {
    for (const conduct of [this.creates, this.destroys, this.validates, this.resets]) {
      conduct.manner = 'works';
      conduct.ms = 0;
    }
    this.validates.answer = () => true;
    this.resets.answer = () => 'keep';
    this.gift = 'new';
    this.watching = 'quiet';
    this.meddling = undefined;
    this.interrupts = undefined;
  }

  /** The pool is renewed: nothing is lent any more that exists now or is being opened. */
  outdate(): void {
    this.#renewedAt = performance.now();
    for (const each of [...this.lives, ...this.#things]) each.isOutdated = true;
  }

  create = (signal: AbortSignal): Promise<FakeResource> => {
    const thing: Thing = { state: 'opening', closingSince: 0, isForgotten: false, isOutdated: false };
    const { manner } = this.creates;
    this.#things.add(thing);
    this.#checkRoom();
    signal.addEventListener('abort', () => {
      thing.isForgotten ||= thing.state === 'opening';
      this.#failed();
    });
    const arrive = () => this.#arrive(thing);
    const settled = () => {
      this.#things.delete(thing);
      if (manner !== 'works') this.#failed();
    };
    this.#meddle('create');
    const heeded = this.heedsAbort ? signal : undefined;
    return this.creates.perform(arrive, settled, heeded) as Promise<FakeResource>;
  };

  destroy = (resource: FakeResource): Promise<void> => {
    const life = this.#lifeOf(resource);
    if (life.isClosed && !life.wasGivenTwice) this.#world.complain(`resource ${life.id} is closed twice`);
    life.isClosed = true;
    this.#mustBeFree(life, 'closed');
    const thing = [...this.#things].find((each) => each.resource === resource);
    Object.assign(thing ?? {}, { state: 'closing', closingSince: performance.now() });
    const settled = () => thing !== undefined && this.#things.delete(thing);
    this.#meddle('destroy');
    return this.destroys.perform(() => undefined, settled);
  };

  validate = (resource: FakeResource): boolean => {
    this.#meddle('validate');
    return this.#ask(this.validates, resource, true) as boolean;
  };

  reset = (resource: FakeResource): 'keep' => {
    this.#meddle('reset');
    return this.#ask(this.resets, resource, 'keep') as 'keep';
  };

  interrupt = (resource: FakeResource): Promise<void> | undefined => {
    const life = this.#lifeOf(resource);
    const { interrupts } = this;
    if (interrupts === undefined) return undefined;
    life.isInterrupted = true;
    const over = () => (life.isInterrupted = false);
    return interrupts.perform(() => undefined, over);
  };

  watch = (resource: FakeResource, broken: (cause: unknown) => void): void => {
    const life = this.#lifeOf(resource);
    if (life.isClosed) Object.assign(life, newborn()); // it was known, and the pool closed it before it got it again
    life.broken = broken;
    life.failuresBefore = this.#failuresInARow;
    if (this.watching !== 'throws') this.#succeeded();
    if (this.watching === 'breaks') this.lose(resource);
    if (this.watching !== 'throws') return;
    this.#failed();
    this.pauseUntil += this.#world.options.destroyTimeoutMs; // it is closed before the pause begins
    throw new Error('watch failed');
  };

  /** It fails by itself, as when its socket closes. */
  lose(resource: FakeResource | undefined): void {
    const life = resource && this.#lifeOf(resource);
    if (life?.broken === undefined) return; // the pool does not have it
    life.isLost = true;
    if (life.uses === 0) this.#failed(life.failuresBefore);
    life.broken(new Error('socket closed'));
  }

  /** How many were lost that lie about: neither closed nor in somebody's hands. */
  get lostAndIdle(): number {
    return this.lives.filter((life) => life.isLost && !life.isClosed && !this.#world.isHeld(life)).length;
  }

  wasClosed(resource: FakeResource): boolean {
    return this.#lifeOf(resource).isClosed;
  }

  wasLost(resource: FakeResource): boolean {
    return this.#lifeOf(resource).isLost;
  }

  wasGivenBack(resource: FakeResource): void {
    this.#lifeOf(resource).wellAt = performance.now();
  }

  /** Only what is sound may be lent. */
  wasLent(resource: FakeResource): void {
    const life = this.#lifeOf(resource);
    const { maxUses, maxLifetimeMs, validateAfterIdleMs } = this.#world.options;
    const now = performance.now();
    life.uses += 1;
    const faults = {
      'is closed': life.isClosed,
      'was lost': life.isLost,
      'did not say yes': life.isDoubtful,
      'was used too often': maxUses > 0 && life.uses > maxUses,
      'is being interrupted': life.isInterrupted,
      'is outdated': life.isOutdated && now > this.#renewedAt,
      'is too old': maxLifetimeMs > 0 && now - life.arrivedAt > maxLifetimeMs,
      'should have been validated': life.wellAt < now && now - life.wellAt >= validateAfterIdleMs,
    };
    for (const [fault, is] of Object.entries(faults))
      if (is) this.#world.complain(`resource ${life.id} is lent, which ${fault}`);
  }

  /** So many tries failed in a row that the pool may give up hope; of one that succeeds it hears at the end of that moment. */
  get mayBeDown(): boolean {
    return this.#failuresInARow >= BREAKER_OPENS_AT || this.#succeededAt === performance.now();
  }

  /** What exists, but for that which the pool could do nothing about. */
  get physical(): number {
    const overdue = performance.now() - this.#world.options.destroyTimeoutMs;
    const isOverdue = ({ state, closingSince }: Thing) => state === 'closing' && closingSince <= overdue;
    return [...this.#things].filter((thing) => !thing.isForgotten && !isOverdue(thing)).length;
  }

  /** How many nobody has closed. */
  get left(): number {
    return this.lives.filter((life) => !life.isClosed).length;
  }

  /** A smaller max takes nothing away; but nothing may be opened beyond it, in the pool's books or outside. */
  #checkRoom(): void {
    const { size, max } = this.#world.pool.stats();
    const count = Math.max(size, this.physical);
    if (count > max) this.#world.complain(`number ${count} of ${max} is opened`);
  }

  #arrive(opening: Thing): FakeResource | undefined {
    const known = this.lives.find((life) => !life.isClosed);
    if (this.gift === 'new' || opening.isForgotten || (this.gift === 'known' && known === undefined)) {
      const life: Life = { id: this.lives.length + 1, ...newborn(), isOutdated: opening.isOutdated };
      this.lives.push(life);
      this.#things.add({ ...opening, resource: life, state: 'live' });
      return life;
    }
    this.#failed();
    if (known !== undefined) known.wasGivenTwice ||= this.gift === 'known';
    return this.gift === 'known' ? known : undefined;
  }

  #meddle(duty: Duty): void {
    if (this.meddling?.during !== duty) return;
    const { meddle } = this.meddling;
    this.meddling = undefined;
    meddle();
  }

  #ask(verdict: Verdict, resource: FakeResource, yes: unknown): unknown {
    const life = this.#lifeOf(resource);
    this.#mustBeFree(life, 'asked');
    life.isDoubtful = true;
    const answered = (answer: unknown) => {
      if (answer !== yes) return;
      life.isDoubtful = false;
      life.wellAt = performance.now();
    };
    const answer = verdict.give(resource);
    if (answer instanceof Promise) answer.then(answered, () => undefined);
    else answered(answer);
    return answer;
  }

  #mustBeFree(life: Life, what: string): void {
    if (this.#world.isHeld(life)) this.#world.complain(`resource ${life.id} is ${what} while it is in use`);
  }

  /** What breaks before anybody had it takes this back. The pool may hear of it before it hears of a failure at the same moment. */
  #succeeded(): void {
    this.#succeededAt = performance.now();
    this.#failuresInARow = this.#failedAt === this.#succeededAt ? 1 : 0;
  }

  #failed(failuresBefore = 0): void {
    this.#failuresInARow += failuresBefore + 1;
    this.#failedAt = performance.now();
    const pauseMs = Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** (this.#failuresInARow - 1));
    this.pauseUntil = Math.max(this.pauseUntil, performance.now() + pauseMs);
  }

  #lifeOf(resource: FakeResource): Life {
    return resource as Life;
  }
}
