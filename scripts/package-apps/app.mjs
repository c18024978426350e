import 'reflect-metadata';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import * as library from 'nestjs-pool';
import { exercise } from './exercise.cjs';

const [url, mode] = process.argv.slice(2);
await exercise({ common, core, library, load: (name) => import(name) }, url, mode);
