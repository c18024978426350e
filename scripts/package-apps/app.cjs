require('reflect-metadata');
const common = require('@nestjs/common');
const core = require('@nestjs/core');
const library = require('nestjs-pool');
const { exercise } = require('./exercise.cjs');

const [url, mode] = process.argv.slice(2);
void exercise({ common, core, library, load: async (name) => require(name) }, url, mode);
