import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { matrixText } from './access-matrix.js';

writeFileSync('docs/access-matrix.md', await matrixText());
