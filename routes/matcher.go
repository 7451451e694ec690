package routes

type matcher struct{}
