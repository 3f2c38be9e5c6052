CREATE TABLE `owned_objects` (
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`key_id` text,
	`provider` text NOT NULL,
	`credential` text,
	`model` text,
	`request_id` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	`data` text,
	PRIMARY KEY(`kind`, `id`)
);
--> statement-breakpoint
CREATE INDEX `owned_objects_of_key` ON `owned_objects` (`kind`,`key_id`,`created_at_ms`);--> statement-breakpoint
CREATE INDEX `owned_objects_expiry` ON `owned_objects` (`expires_at_ms`) WHERE expires_at_ms IS NOT NULL;
