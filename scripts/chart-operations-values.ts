/*
 * The values of the Helm chart for running it: how many pods there are and where, who reaches them and by which name, and what is
 * shown of them. None is a setting of the program.
 */

import { z } from 'zod';

const text = z.string();
const list = z.array(z.looseObject({}));
const anything = z.looseObject({});
const labels = z.record(z.string(), z.string());
/** A number of pods or a share of them. */
const pods = z.union([z.int().min(0), text.regex(/^([0-9]|[1-9][0-9]|100)%$/)]);
/** A host name, or one for all below it. */
const host = text.regex(/^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
const percentage = z.int().min(0).max(1000);
/** A duration of Go; empty for none. */
const duration = text.regex(/^([0-9]+h)?([0-9]+m)?([0-9]+s)?$/);

/** The alerts, under `metrics`. */
export const prometheusRule = z
  .strictObject({ enabled: z.boolean(), labels, runbookUrl: text.regex(/^(https?:\/\/[^#\s]+)?$/) })
  .partial();

/** The dashboards, under `metrics`. */
export const dashboards = z
  .strictObject({ enabled: z.boolean(), labels, annotations: labels, namespace: text })
  .partial();

/** The values by their names. */
export const operationsValues = {
  // Charts that have this one as a part give `global` to all of their parts.
  global: z.looseObject({ imageRegistry: text.regex(/^[^\s@]*$/) }).partial(),
  extraContainers: z.array(z.looseObject({ name: text.min(1) })),
  extraObjects: z.array(z.union([text.min(1), anything])),
  autoscaling: z
    .strictObject({
      enabled: z.boolean(),
      minReplicas: z.int().min(1),
      maxReplicas: z.int().min(1),
      targetCPUUtilizationPercentage: percentage,
      targetMemoryUtilizationPercentage: percentage,
      metrics: z.array(z.looseObject({ type: text })),
      behavior: z.strictObject({ scaleUp: anything, scaleDown: anything }).partial(),
    })
    .partial(),
  podDisruptionBudget: z
    .strictObject({
      enabled: z.boolean(),
      maxUnavailable: pods,
      minAvailable: z.union([pods, text.max(0)]),
    })
    .partial(),
  networkPolicy: z
    .strictObject({ enabled: z.boolean(), from: list, metricsFrom: list, egress: list })
    .partial(),
  topologySpreadConstraints: z.array(
    z.looseObject({
      maxSkew: z.int().min(1),
      topologyKey: text.min(1),
      whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
    }),
  ),
  priorityClassName: text,
  ingress: z
    .strictObject({
      enabled: z.boolean(),
      className: text,
      annotations: labels,
      hosts: z.array(host),
      tls: z.array(z.strictObject({ secretName: text, hosts: z.array(host) }).partial()),
    })
    .partial(),
  httpRoute: z
    .strictObject({
      enabled: z.boolean(),
      annotations: labels,
      parentRefs: z.array(z.looseObject({ name: text.min(1) })),
      hostnames: z.array(host),
      timeouts: z.strictObject({ request: text, backendRequest: text }).partial(),
    })
    .partial(),
  certificate: z
    .strictObject({
      enabled: z.boolean(),
      issuerRef: z.strictObject({ name: text, kind: text, group: text }).partial(),
      secretName: text,
      dnsNames: z.array(host),
      duration,
      renewBefore: duration,
    })
    .partial(),
};
