"""Quizzes 问卷答题: banks of questions, quizzes that draw from them, and residents' answers, graded here.

An attempt at a quiz is a *sheet* (答卷) in the code, because `attempt` is what the kit calls a request.
"""
