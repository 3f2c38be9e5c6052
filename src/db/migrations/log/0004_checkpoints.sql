CREATE TABLE `ledger_counters` (
	`limit_id` text NOT NULL,
	`name` text NOT NULL,
	`through` integer NOT NULL,
	`ends_at_ms` integer,
	`stretches` text NOT NULL,
	PRIMARY KEY(`limit_id`, `name`)
);
--> statement-breakpoint
CREATE TABLE `ledger_checkpoints` (
	`id` integer PRIMARY KEY NOT NULL,
	`through` integer NOT NULL,
	`limits` text NOT NULL,
	`mark` integer NOT NULL,
	`seen` integer NOT NULL,
	`pending_through` integer NOT NULL,
	`pending_count` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `ledger_entries` ADD `kind` text DEFAULT 'request' NOT NULL;--> statement-breakpoint
ALTER TABLE `ledger_entries` ADD `attempt` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `ledger_entries_corrections` ON `ledger_entries` (`admitted_at_ms`) WHERE kind = 'correction';--> statement-breakpoint
DROP INDEX `ledger_entries_request_id_unique`;--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_entries_part` ON `ledger_entries` (`request_id`,`kind`,`attempt`);
