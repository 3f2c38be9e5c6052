CREATE TABLE `group_changes` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`group_id` text NOT NULL,
	`at_ms` integer NOT NULL,
	FOREIGN KEY (`group_id`) REFERENCES `key_groups`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `key_groups` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`parent_id` text,
	`models` text,
	`rights` text,
	`limits` text,
	`metadata` text,
	`created_at_ms` integer NOT NULL,
	`deleted_at_ms` integer,
	FOREIGN KEY (`parent_id`) REFERENCES `key_groups`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `key_groups_live_name` ON `key_groups` (`kind`,`name`) WHERE deleted_at_ms IS NULL;--> statement-breakpoint
CREATE INDEX `key_groups_parent` ON `key_groups` (`parent_id`);--> statement-breakpoint
CREATE TABLE `previous_tokens` (
	`token_hash` text PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`token_hint` text NOT NULL,
	`token_kind` text,
	`ends_at_ms` integer NOT NULL,
	FOREIGN KEY (`key_id`) REFERENCES `virtual_keys`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `previous_tokens_key` ON `previous_tokens` (`key_id`);--> statement-breakpoint
ALTER TABLE `virtual_keys` ADD `group_id` text REFERENCES key_groups(id);--> statement-breakpoint
ALTER TABLE `virtual_keys` ADD `rights` text;--> statement-breakpoint
ALTER TABLE `virtual_keys` ADD `limits` text;--> statement-breakpoint
ALTER TABLE `virtual_keys` ADD `metadata` text;--> statement-breakpoint
ALTER TABLE `virtual_keys` ADD `token_kind` text;--> statement-breakpoint
CREATE INDEX `virtual_keys_group` ON `virtual_keys` (`group_id`);--> statement-breakpoint
INSERT INTO `key_groups` (`id`, `kind`, `name`, `created_at_ms`) VALUES ('default', 'organization', 'default', 0);
