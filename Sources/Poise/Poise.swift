// Poise
