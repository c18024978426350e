import { Inject } from '@nestjs/common';
import { getPoolToken } from './pool.tokens.js';

/**
 * Injects the pool registered under `name`; without a name, the pool bound to the parameter's class.
 *
 * @publicApi
 * @example
 * constructor(
 *   @InjectPool('cache') private readonly cache: RedisPool,
 *   @InjectPool() private readonly compression: CompressionPool, // the pool named "compression"
 * ) {}
 */
export const InjectPool = (name?: string): ParameterDecorator & PropertyDecorator =>
  name === undefined ? Inject() : Inject(getPoolToken(name));
