CREATE INDEX `owned_objects_kept` ON `owned_objects` (`created_at_ms`) WHERE provider = '';
