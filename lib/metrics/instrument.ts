export type InstrumentKind = 'up-down-counter' | 'counter' | 'histogram';

/** One metric, in the words of OpenTelemetry. */
export interface Instrument {
  readonly name: string;
  /** Histograms are recorded as things happen; the others are read from the pools when somebody collects. */
  readonly kind: InstrumentKind;
  /** By UCUM; in braces what is counted. */
  readonly unit: string;
  readonly description: string;
  /** The attributes that its values may have. */
  readonly attributes: readonly string[];
}

export type Attributes = Readonly<Record<string, string | number>>;

/** One value of an instrument. */
export interface Reading {
  readonly instrument: Instrument;
  readonly value: number;
  readonly attributes: Attributes;
}

/** Readings of the same key are about the same thing. */
export const keyOf = ({ instrument, attributes }: Reading): string =>
  JSON.stringify([instrument.name, attributes]);

/** Of OpenTelemetry: who measures. */
export const SCOPE = 'nestjs-pool';

const LIMITS: Readonly<Record<string, number[]>> = {
  // From what nobody notices to what callers give up at.
  s: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
  // From a small message to the largest payload that is usual.
  By: [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
};

/** The upper limits of the buckets that a histogram of this unit has. */
export const limitsOf = ({ unit }: Instrument): number[] => LIMITS[unit] ?? [];
